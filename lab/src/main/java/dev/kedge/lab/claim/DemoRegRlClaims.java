package dev.kedge.lab.claim;

import static dev.kedge.lab.claim.DemoRegRlExperiments.CLONE;
import static dev.kedge.lab.claim.DemoRegRlExperiments.COUNTED;
import static dev.kedge.lab.claim.DemoRegRlExperiments.EXPLORING;
import static dev.kedge.lab.claim.DemoRegRlExperiments.LOOSE;
import static dev.kedge.lab.claim.DemoRegRlExperiments.MISLED;
import static dev.kedge.lab.claim.DemoRegRlExperiments.SHRINKING;
import static dev.kedge.lab.claim.DemoRegRlExperiments.STRENGTH;
import static dev.kedge.lab.claim.DemoRegRlExperiments.TIGHT;
import static dev.kedge.lab.claim.DemoRegRlExperiments.UCBVI;
import static dev.kedge.lab.claim.DemoRegRlExperiments.UNIFORM;

import dev.kedge.lab.claim.Claim.Against;
import dev.kedge.lab.claim.Claim.Direction;
import dev.kedge.lab.claim.DemoRegRlExperiments.Scale;
import dev.kedge.recipe.DemoRegRlRecipe.Arm;
import java.util.ArrayList;
import java.util.List;

/// The claims of demonstration-regularized reinforcement learning (Tiapkin et al. 2023, arXiv:2310.17303), which has no
/// experiments: what its theorems say of a small world, and what is known of that world.
final class DemoRegRlClaims {
    private DemoRegRlClaims() {}

    static List<Claim> claims() {
        return claims(Scale.PUBLISHED);
    }

    static List<Claim> claims(Scale s) {
        List<Claim> claims = new ArrayList<>(exploring(DemoRegRlExperiments.river(s), s));
        claims.addAll(bias(claims.getFirst().experiment(), s));
        claims.addAll(tuned(DemoRegRlExperiments.tuned(s), s));
        claims.addAll(learnt(s));
        return List.copyOf(claims);
    }

    /// The episodes that demonstrations save.
    private static List<Claim> exploring(Experiment e, Scale s) {
        int first = s.at().get(0);
        int early = s.at().get(1);
        int middle = s.at().get(2);
        return List.of(
                less(
                        e,
                        "early",
                        "Demonstrations bring the policy nearer to the best within the first episodes.",
                        TIGHT,
                        80,
                        UCBVI,
                        0,
                        early),
                less(
                        e,
                        "early-exploring",
                        "So they do beside UCBVI that explores as UCBVI-Ent+ does.",
                        TIGHT,
                        80,
                        EXPLORING,
                        0,
                        early),
                less(e, "early-20", "Twenty demonstrations are enough for that.", TIGHT, 20, UCBVI, 0, early),
                less(e, "more-at-first", "At first more demonstrations help more.", TIGHT, 80, TIGHT, 20, first),
                less(e, "more-early", "Soon after they still do.", TIGHT, 80, TIGHT, 20, early),
                less(
                        e,
                        "over-clone",
                        "With lambda matched to the cloning error the policy is better than the clone.",
                        TIGHT,
                        20,
                        CLONE,
                        20,
                        middle),
                less(
                        e,
                        "over-ucbvi",
                        "With lambda matched to the cloning error it is better than UCBVI that explores.",
                        TIGHT,
                        20,
                        EXPLORING,
                        0,
                        middle),
                less(
                        e,
                        "over-uniform",
                        "With lambda matched to the cloning error it is better than held to the " + "uniform policy.",
                        TIGHT,
                        20,
                        UNIFORM,
                        0,
                        middle),
                episodes(
                        e,
                        "fewer-episodes",
                        "Fewer episodes are needed for a rough policy.",
                        TIGHT,
                        80,
                        EXPLORING,
                        0,
                        1),
                episodes(
                        e,
                        "fewer-with-more",
                        "The more demonstrations, the fewer episodes for a rough policy.",
                        TIGHT,
                        80,
                        TIGHT,
                        5,
                        1),
                episodes(
                        e,
                        "fewer-episodes-close",
                        "Fewer episodes are needed for a good policy, with a lambda that " + "shrinks.",
                        SHRINKING,
                        80,
                        EXPLORING,
                        0,
                        0.3),
                episodes(
                        e,
                        "fewer-with-more-close",
                        "The more demonstrations, the fewer episodes for a good policy, "
                                + "with a lambda that shrinks.",
                        SHRINKING,
                        80,
                        SHRINKING,
                        5,
                        0.3),
                claim(
                        e,
                        "spread",
                        "The spread over repetitions falls.",
                        "standard deviation of the gap after " + early + " episodes",
                        arm(TIGHT, 80, DemoRegRlExperiments.spread(TIGHT, 80, early)),
                        Direction.LESS,
                        arm(EXPLORING, 0, DemoRegRlExperiments.spread(EXPLORING, 0, early))),
                less(
                        e,
                        "over-counted",
                        "Early on it is better to be held to the demonstrations than to count them as " + "episodes.",
                        TIGHT,
                        80,
                        COUNTED,
                        80,
                        early),
                less(
                        e,
                        "over-counted-later",
                        "So it is later, with a lambda that shrinks.",
                        SHRINKING,
                        80,
                        COUNTED,
                        80,
                        s.at().get(3)));
    }

    /// The same where each method has the bonus that suits it best.
    private static List<Claim> tuned(Experiment e, Scale s) {
        int early = s.at().get(1);
        int middle = s.at().get(2);
        return List.of(
                less(
                        e,
                        "tuned-early",
                        "Each with its own bonus, demonstrations bring the policy nearer to the best "
                                + "within the first episodes.",
                        TIGHT,
                        80,
                        EXPLORING,
                        0,
                        early),
                less(
                        e,
                        "tuned-over-ucbvi",
                        "Each with its own bonus, it is better than UCBVI that explores.",
                        TIGHT,
                        20,
                        EXPLORING,
                        0,
                        middle),
                episodes(
                        e,
                        "tuned-fewer-episodes",
                        "Each with its own bonus, fewer episodes are needed for a rough " + "policy.",
                        TIGHT,
                        80,
                        EXPLORING,
                        0,
                        1),
                episodes(
                        e,
                        "tuned-fewer-with-more",
                        "Each with its own bonus, the more demonstrations, the fewer " + "episodes for a rough policy.",
                        TIGHT,
                        80,
                        TIGHT,
                        5,
                        1),
                episodes(
                        e,
                        "tuned-fewer-episodes-close",
                        "Each with its own bonus, fewer episodes are needed for a good "
                                + "policy, with a lambda that shrinks.",
                        SHRINKING,
                        80,
                        EXPLORING,
                        0,
                        0.3),
                episodes(
                        e,
                        "tuned-fewer-with-more-close",
                        "Each with its own bonus, the more demonstrations, the fewer "
                                + "episodes for a good policy, with a lambda that shrinks.",
                        SHRINKING,
                        80,
                        SHRINKING,
                        5,
                        0.3),
                less(
                        e,
                        "tuned-over-counted",
                        "Each with its own bonus, early on it is better to be held to the "
                                + "demonstrations than to count them as episodes.",
                        TIGHT,
                        80,
                        COUNTED,
                        80,
                        early),
                less(
                        e,
                        "tuned-over-counted-20",
                        "Each with its own bonus, so it is with twenty.",
                        TIGHT,
                        20,
                        COUNTED,
                        20,
                        early));
    }

    /// What being held costs.
    private static List<Claim> bias(Experiment e, Scale s) {
        int end = s.episodes();
        return List.of(
                less(e, "plain-wins", "In the end plain UCBVI beats a lambda that stays.", UCBVI, 0, TIGHT, 80, end),
                less(e, "exploring-wins", "In the end UCBVI that explores does.", EXPLORING, 0, TIGHT, 80, end),
                less(e, "shrinking", "A lambda that shrinks does too.", SHRINKING, 80, TIGHT, 80, end),
                claim(
                        e,
                        "plateau",
                        "A large lambda that stays ends far from the best policy.",
                        "gap after " + end + " episodes",
                        arm(LOOSE, 80, DemoRegRlExperiments.gap(LOOSE, 80, end)),
                        Direction.MORE,
                        new Claim.Threshold(0.3)),
                claim(
                        e,
                        "bias",
                        "It ends within lambda KLtraj(expert||clone) of it.",
                        "gap after " + end + " episodes",
                        arm(LOOSE, 80, DemoRegRlExperiments.gap(LOOSE, 80, end)),
                        Direction.LESS,
                        new Claim.Arm("lambda KLtraj", "what the inequality allows")),
                claim(
                        e,
                        "wrong-expert",
                        "Held to random play it ends within lambda KLtraj and what random play lacks.",
                        "gap after " + end + " episodes",
                        arm(MISLED, 20, DemoRegRlExperiments.gap(MISLED, 20, end)),
                        Direction.LESS,
                        new Claim.Arm(
                                "lambda KLtraj and the gap of random play", "what the inequality allows the misled")),
                less(e, "right-expert", "An expert teaches better than random play.", TIGHT, 20, MISLED, 20, end));
    }

    private static List<Claim> learnt(Scale s) {
        Experiment cloning = DemoRegRlExperiments.cloning(s);
        Experiment preferences = DemoRegRlExperiments.preferences(s);
        Experiment linear = DemoRegRlExperiments.linear(s);
        List<Claim> claims = new ArrayList<>(List.of(
                claim(
                        cloning,
                        "cloning-slope",
                        "The clone's divergence falls like one over the demonstrations.",
                        "slope of log KLtraj(expert||clone) over log N",
                        new Claim.Arm("clone", "slope"),
                        Direction.LESS,
                        new Claim.Threshold(-0.9)),
                claim(
                        cloning,
                        "cloning-bound",
                        "The clone's divergence is at most S A H / N.",
                        "largest KLtraj(expert||clone) in parts of S A H / N",
                        new Claim.Arm("clone", "KLtraj over S·A·H/N"),
                        Direction.LESS,
                        new Claim.Threshold(1))));
        for (int n : s.pairs()) {
            claims.add(claim(
                    preferences,
                    "preferences-" + n,
                    "With rewards learnt from " + n + " pairs a plan that is "
                            + "held to the clone is better than a greedy one.",
                    "true value",
                    held(DemoRegRlExperiments.value(STRENGTH, n)),
                    Direction.MORE,
                    new Claim.Arm("greedy on the estimate", DemoRegRlExperiments.value(0, n))));
        }
        int n = s.pairs().get(1);
        claims.add(claim(
                preferences,
                "preferences-low",
                "So it is where rewards that no pair tells of count as 0.",
                "true value",
                held(DemoRegRlExperiments.lowValue(STRENGTH, n)),
                Direction.MORE,
                new Claim.Arm("greedy on the estimate", DemoRegRlExperiments.lowValue(0, n))));
        claims.add(claim(
                preferences,
                "preferences-explored",
                "So it is where transitions have to be explored.",
                "true value",
                held(DemoRegRlExperiments.exploredValue(STRENGTH, n)),
                Direction.MORE,
                new Claim.Arm("UCBVI on the estimate", DemoRegRlExperiments.exploredValue(0, n))));
        claims.add(claim(
                linear,
                "linear",
                "In a linear process a learner that knows its features is nearer to the best "
                        + "policy after as many episodes.",
                "gap in parts of the uniform policy's",
                new Claim.Arm("linear", "linear gap"),
                Direction.LESS,
                new Claim.Arm("tabular", "tabular gap")));
        claims.add(claim(
                linear,
                "linear-clone",
                "In a linear process a clone that knows its features is nearer to the " + "expert.",
                "KLtraj(expert||clone)",
                new Claim.Arm("linear", "linear divergence"),
                Direction.LESS,
                new Claim.Arm("tabular", "tabular divergence")));
        return claims;
    }

    private static Claim.Arm held(String number) {
        return new Claim.Arm("held to the clone, λ " + STRENGTH, number);
    }

    private static Claim.Arm arm(Arm arm, int demonstrations, String number) {
        return new Claim.Arm(DemoRegRlExperiments.name(arm, demonstrations), number);
    }

    private static Claim less(
            Experiment e, String name, String statement, Arm method, int n, Arm against, int m, int episodes) {
        return claim(
                e,
                name,
                statement,
                "gap after " + episodes + " episodes",
                arm(method, n, DemoRegRlExperiments.gap(method, n, episodes)),
                Direction.LESS,
                arm(against, m, DemoRegRlExperiments.gap(against, m, episodes)));
    }

    private static Claim episodes(
            Experiment e, String name, String statement, Arm method, int n, Arm against, int m, double gap) {
        return claim(
                e,
                name,
                statement,
                "episodes until the gap is below " + gap,
                arm(method, n, DemoRegRlExperiments.episodes(method, n, gap)),
                Direction.LESS,
                arm(against, m, DemoRegRlExperiments.episodes(against, m, gap)));
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
