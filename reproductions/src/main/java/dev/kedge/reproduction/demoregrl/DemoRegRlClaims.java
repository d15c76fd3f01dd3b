package dev.kedge.reproduction.demoregrl;

import static dev.kedge.lab.claim.Measure.measure;
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
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Measure;
import dev.kedge.recipe.demonstration.DemoRegRlConfig.Arm;
import dev.kedge.reproduction.demoregrl.DemoRegRlExperiments.Scale;
import java.util.ArrayList;
import java.util.List;

/// The claims of demonstration-regularized reinforcement learning (Tiapkin et al. 2023, arXiv:2310.17303). The paper
/// has no experiments: this is what its theorems say of a small environment.
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
        Taught counting = of(COUNTED, 80);
        Taught countingFew = of(COUNTED, 20);
        String held = "Being held to ";
        String counted = " demonstrations is better, early on, than counting them as episodes";
        return List.of(
                nearer(e, prefix + "early", "Eighty" + help + suffix, many, alone, early),
                nearer(e, prefix + "early-20", "Twenty" + help + suffix, few, alone, early),
                nearer(e, prefix + "over-ucbvi", matched + suffix, few, alone, s.at().get(2)),
                fewer(e, prefix + "fewer-episodes", rough + suffix, many, alone, 1),
                fewer(e, prefix + "fewer-with-more", roughMore + suffix, many, of(TIGHT, 5), 1),
                fewer(e, prefix + "fewer-episodes-close", good + suffix, patient, alone, 0.3),
                fewer(e, prefix + "fewer-with-more-close", goodMore + suffix, patient, of(SHRINKING, 5), 0.3),
                nearer(e, prefix + "over-counted", held + "eighty" + counted + suffix, many, counting, early),
                nearer(e, prefix + "over-counted-20", held + "twenty" + counted + suffix, few, countingFew, early));
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
                measure(e, "standard deviation of the gap after " + early + " episodes", "")
                        .claim("spread")
                        .says("Demonstrations make the result depend less on chance.")
                        .less(many.spread(early), of(EXPLORING).spread(early)),
                measure(e, "slope of log episodes over log N, gap 0.3", "")
                        .claim("in-proportion")
                        .says("The episodes needed for a good policy fall like one over the demonstrations.")
                        .less(new Claim.Arm(SHRINKING.title() + ", 5 to 80 demonstrations", "slope"), -0.9));
    }

    /// What being held costs.
    private static List<Claim> bias(Experiment e, Scale s) {
        int end = s.episodes();
        Measure gap = measure(e, "gap after " + end + " episodes", "");
        return List.of(
                gap.claim("plain-wins")
                        .says("In the end plain UCBVI beats a lambda that stays.")
                        .less(of(UCBVI).gap(end), of(TIGHT, 80).gap(end)),
                gap.claim("exploring-wins")
                        .says("In the end UCBVI that explores in the same way beats a lambda that stays.")
                        .less(of(EXPLORING).gap(end), of(TIGHT, 80).gap(end)),
                gap.claim("shrinking")
                        .says("In the end a lambda that shrinks beats one that stays.")
                        .less(of(SHRINKING, 80).gap(end), of(TIGHT, 80).gap(end)),
                gap.claim("plateau")
                        .says("Held strongly, the policy stays far from the best.")
                        .more(of(LOOSE, 20).gap(end), 0.3),
                gap.claim("bias")
                        .says("Held strongly, the policy ends within lambda KLtraj(expert||clone) of the best.")
                        .less(of(LOOSE, 20).gap(end), new Claim.Arm("lambda KLtraj", "what the inequality allows")),
                gap.claim("wrong-expert")
                        .says("In the end exploring without reference beats being held to random play.")
                        .less(of(EXPLORING).gap(end), of(MISLED, 20).gap(end)),
                gap.claim("right-expert")
                        .says("An expert teaches better than random play.")
                        .less(of(TIGHT, 20).gap(end), of(MISLED, 20).gap(end)));
    }

    private static List<Claim> clones(Experiment e) {
        return List.of(
                measure(e, "slope of log KLtraj(expert||clone) over log N", "")
                        .claim("cloning-slope")
                        .says("The clone's divergence falls like one over the demonstrations.")
                        .less(new Claim.Arm("clone", "slope"), -0.9),
                measure(e, "largest KLtraj(expert||clone) in parts of S A H / N", "")
                        .claim("cloning-bound")
                        .says("The clone's divergence is at most S A H / N.")
                        .less(new Claim.Arm("clone", "KLtraj over S·A·H/N"), 1));
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
                measure(e, "gap in parts of the uniform policy's", "")
                        .claim("linear")
                        .says("In a linear process a learner that knows its features is nearer to the best policy.")
                        .less(new Claim.Arm("linear", "linear gap"), new Claim.Arm("tabular", "tabular gap")),
                measure(e, "KLtraj(expert||clone)", "")
                        .claim("linear-clone")
                        .says("In a linear process a clone that knows its features is nearer to the expert.")
                        .less(
                                new Claim.Arm("linear", "linear divergence"),
                                new Claim.Arm("tabular", "tabular divergence")));
    }

    private static Claim better(Experiment e, String name, String statement, String held, String greedy) {
        return measure(e, "true value", "")
                .claim(name)
                .says(statement)
                .more(new Claim.Arm("held to the clone, λ " + STRENGTH, held), new Claim.Arm("λ 0", greedy));
    }

    private static Claim nearer(
            Experiment e, String name, String statement, Taught method, Taught against, int episodes) {
        return measure(e, "gap after " + episodes + " episodes", "")
                .claim(name)
                .says(statement)
                .less(method.gap(episodes), against.gap(episodes));
    }

    private static Claim fewer(Experiment e, String name, String statement, Taught method, Taught against, double gap) {
        return measure(e, "episodes until the gap is below " + gap, "")
                .claim(name)
                .says(statement)
                .less(method.episodes(gap), against.episodes(gap));
    }
}
