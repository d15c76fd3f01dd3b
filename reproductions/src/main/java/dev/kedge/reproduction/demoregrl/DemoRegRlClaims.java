package dev.kedge.reproduction.demoregrl;

import static dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.STRENGTH;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.CLONE;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.COUNTED;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.EXPLORING;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.LOOSE;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.MISLED;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.SHRINKING;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.TIGHT;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.UCBVI;
import static dev.kedge.reproduction.demoregrl.DemoRegRlRiver.UNIFORM;

import dev.kedge.lab.claim.Claim;
import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.Claim.Threshold;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.Scale;
import java.util.ArrayList;
import java.util.List;

/// The claims of demonstration-regularized reinforcement learning (Tiapkin et al. 2023, arXiv:2310.17303). The paper
/// has no experiments: this is what its theorems say of a small world.
public final class DemoRegRlClaims {
    private DemoRegRlClaims() {}

    public static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    public static List<Claim> claims(Scale s) {
        Experiment river = DemoRegRlRiver.river(s);
        List<Claim> claims = new ArrayList<>(exploring(river, s, "", "."));
        claims.addAll(further(river, s));
        claims.addAll(bias(river, s));
        claims.addAll(exploring(DemoRegRlRiver.tuned(s), s, "tuned-", ", each method with its own bonus."));
        claims.addAll(clones(DemoRegRlExperiments.cloning(s)));
        claims.addAll(preferences(DemoRegRlExperiments.preferences(s), s));
        claims.addAll(linear(DemoRegRlExperiments.linear(s)));
        return List.copyOf(claims);
    }

    /// An arm with its demonstrations.
    private record Taught(Arm arm, int demonstrations) {
        Claim.Arm gap(int episodes) {
            return with(DemoRegRlRiver.gap(arm, demonstrations, episodes));
        }

        Claim.Arm spread(int episodes) {
            return with(DemoRegRlRiver.spread(arm, demonstrations, episodes));
        }

        Claim.Arm episodes(double gap) {
            return with(DemoRegRlRiver.episodes(arm, demonstrations, gap));
        }

        private Claim.Arm with(String number) {
            return new Claim.Arm(DemoRegRlRiver.name(arm, demonstrations), number);
        }
    }

    private static Taught of(Arm arm, int demonstrations) {
        return new Taught(arm, demonstrations);
    }

    private static Taught of(Arm arm) {
        return new Taught(arm, 0);
    }

    /// What demonstrations are good for.
    ///
    /// @param prefix of names
    /// @param suffix of statements
    private static List<Claim> exploring(Experiment e, Scale s, String prefix, String suffix) {
        int early = s.at().get(1);
        Taught alone = of(EXPLORING);
        Taught few = of(TIGHT, 20);
        Taught many = of(TIGHT, 80);
        Taught patient = of(SHRINKING, 80);
        String help = " demonstrations help in the first episodes";
        String matched =
                "With lambda matched to the cloning error the policy is better than exploring without reference";
        String rough = "With demonstrations fewer episodes are needed for a rough policy";
        String roughMore = "With more demonstrations fewer episodes are needed for a rough policy";
        String good = "With demonstrations and a lambda that shrinks fewer episodes are needed for a good policy";
        String goodMore = "With more demonstrations and such a lambda fewer episodes are needed for a good policy";
        String counted = " demonstrations is better, early on, than counting them as episodes";
        return List.of(
                nearer(e, prefix + "early", "Eighty" + help + suffix, many, alone, early),
                nearer(e, prefix + "early-20", "Twenty" + help + suffix, few, alone, early),
                nearer(e, prefix + "over-ucbvi", matched + suffix, few, alone, s.at().get(2)),
                fewer(e, prefix + "fewer-episodes", rough + suffix, many, alone, 1),
                fewer(e, prefix + "fewer-with-more", roughMore + suffix, many, of(TIGHT, 5), 1),
                fewer(e, prefix + "fewer-episodes-close", good + suffix, patient, alone, 0.3),
                fewer(e, prefix + "fewer-with-more-close", goodMore + suffix, patient, of(SHRINKING, 5), 0.3),
                nearer(
                        e,
                        prefix + "over-counted",
                        "Being held to eighty" + counted + suffix,
                        many,
                        of(COUNTED, 80),
                        early),
                nearer(
                        e,
                        prefix + "over-counted-20",
                        "Being held to twenty" + counted + suffix,
                        few,
                        of(COUNTED, 20),
                        early));
    }

    private static List<Claim> further(Experiment e, Scale s) {
        int first = s.at().get(0);
        int early = s.at().get(1);
        int middle = s.at().get(2);
        int later = s.at().get(3);
        Taught few = of(TIGHT, 20);
        Taught many = of(TIGHT, 80);
        String help = "Demonstrations help in the first episodes, beside plain UCBVI.";
        String more = "More demonstrations help more after ";
        String matched = "With lambda matched to the cloning error the policy is better than ";
        String counted =
                "After " + later + " episodes being held, with a lambda that shrinks, is better than counting.";
        return List.of(
                nearer(e, "early-plain", help, many, of(UCBVI), early),
                nearer(e, "more-at-first", more + first + " episodes.", many, few, first),
                nearer(e, "more-early", more + early + " episodes.", many, few, early),
                nearer(e, "over-clone", matched + "the clone.", few, of(CLONE, 20), middle),
                nearer(e, "over-uniform", matched + "held to the uniform policy.", few, of(UNIFORM), middle),
                nearer(e, "over-counted-later", counted, of(SHRINKING, 80), of(COUNTED, 80), later),
                claim(
                        e,
                        "spread",
                        "Demonstrations make the result depend less on chance.",
                        "standard deviation of the gap after " + early + " episodes",
                        many.spread(early),
                        Direction.LESS,
                        of(EXPLORING).spread(early)),
                claim(
                        e,
                        "in-proportion",
                        "The episodes needed for a good policy fall like one over the demonstrations.",
                        "slope of log episodes over log N, gap 0.3",
                        new Claim.Arm(SHRINKING.title() + ", 5 to 80 demonstrations", "slope"),
                        Direction.LESS,
                        new Threshold(-0.9)));
    }

    /// What being held costs.
    private static List<Claim> bias(Experiment e, Scale s) {
        int end = s.episodes();
        String measure = "gap after " + end + " episodes";
        return List.of(
                nearer(
                        e,
                        "plain-wins",
                        "In the end plain UCBVI beats a lambda that stays.",
                        of(UCBVI),
                        of(TIGHT, 80),
                        end),
                nearer(
                        e,
                        "exploring-wins",
                        "In the end UCBVI that explores in the same way beats a lambda that stays.",
                        of(EXPLORING),
                        of(TIGHT, 80),
                        end),
                nearer(
                        e,
                        "shrinking",
                        "In the end a lambda that shrinks beats one that stays.",
                        of(SHRINKING, 80),
                        of(TIGHT, 80),
                        end),
                claim(
                        e,
                        "plateau",
                        "Held strongly, the policy stays far from the best.",
                        measure,
                        of(LOOSE, 20).gap(end),
                        Direction.MORE,
                        new Threshold(0.3)),
                claim(
                        e,
                        "bias",
                        "Held strongly, the policy ends within lambda KLtraj(expert||clone) of the best.",
                        measure,
                        of(LOOSE, 20).gap(end),
                        Direction.LESS,
                        new Claim.Arm("lambda KLtraj", "what the inequality allows")),
                nearer(
                        e,
                        "wrong-expert",
                        "In the end exploring without reference beats being held to random play.",
                        of(EXPLORING),
                        of(MISLED, 20),
                        end),
                nearer(
                        e,
                        "right-expert",
                        "An expert teaches better than random play.",
                        of(TIGHT, 20),
                        of(MISLED, 20),
                        end));
    }

    private static List<Claim> clones(Experiment e) {
        return List.of(
                claim(
                        e,
                        "cloning-slope",
                        "The clone's divergence falls like one over the demonstrations.",
                        "slope of log KLtraj(expert||clone) over log N",
                        new Claim.Arm("clone", "slope"),
                        Direction.LESS,
                        new Threshold(-0.9)),
                claim(
                        e,
                        "cloning-bound",
                        "The clone's divergence is at most S A H / N.",
                        "largest KLtraj(expert||clone) in parts of S A H / N",
                        new Claim.Arm("clone", "KLtraj over S·A·H/N"),
                        Direction.LESS,
                        new Threshold(1)));
    }

    private static List<Claim> preferences(Experiment e, Scale s) {
        List<Claim> claims = new ArrayList<>();
        for (int n : s.pairs()) {
            claims.add(better(
                    e,
                    "preferences-" + n,
                    "With rewards learnt from " + n + " pairs a plan held to the clone is "
                            + "better than a greedy one.",
                    DemoRegRlExperiments.value(STRENGTH, n),
                    DemoRegRlExperiments.value(0, n)));
        }
        int n = s.pairs().get(1);
        claims.add(better(
                e,
                "preferences-low",
                "With learnt rewards, 0 where no pair tells, a plan held to the clone is "
                        + "better than a greedy one.",
                DemoRegRlExperiments.lowValue(STRENGTH, n),
                DemoRegRlExperiments.lowValue(0, n)));
        claims.add(better(
                e,
                "preferences-explored",
                "With learnt rewards and transitions to be explored, UCBVI-Ent+ held "
                        + "to the clone is better than UCBVI.",
                DemoRegRlExperiments.exploredValue(STRENGTH, n),
                DemoRegRlExperiments.exploredValue(0, n)));
        return claims;
    }

    private static List<Claim> linear(Experiment e) {
        return List.of(
                claim(
                        e,
                        "linear",
                        "In a linear process a learner that knows its features is nearer to the best policy.",
                        "gap in parts of the uniform policy's",
                        new Claim.Arm("linear", "linear gap"),
                        Direction.LESS,
                        new Claim.Arm("tabular", "tabular gap")),
                claim(
                        e,
                        "linear-clone",
                        "In a linear process a clone that knows its features is nearer to the expert.",
                        "KLtraj(expert||clone)",
                        new Claim.Arm("linear", "linear divergence"),
                        Direction.LESS,
                        new Claim.Arm("tabular", "tabular divergence")));
    }

    private static Claim better(Experiment e, String name, String statement, String held, String greedy) {
        return claim(
                e,
                name,
                statement,
                "true value",
                new Claim.Arm("held to the clone, λ " + STRENGTH, held),
                Direction.MORE,
                new Claim.Arm("λ 0", greedy));
    }

    private static Claim nearer(
            Experiment e, String name, String statement, Taught method, Taught against, int episodes) {
        return claim(
                e,
                name,
                statement,
                "gap after " + episodes + " episodes",
                method.gap(episodes),
                Direction.LESS,
                against.gap(episodes));
    }

    private static Claim fewer(Experiment e, String name, String statement, Taught method, Taught against, double gap) {
        return claim(
                e,
                name,
                statement,
                "episodes until the gap is below " + gap,
                method.episodes(gap),
                Direction.LESS,
                against.episodes(gap));
    }

    private static Claim claim(
            Experiment e,
            String name,
            String statement,
            String measure,
            Claim.Arm method,
            Direction direction,
            Against against) {
        return new Claim("demo-reg-rl", name, statement, e, measure, "", method, direction, against, 0);
    }
}
