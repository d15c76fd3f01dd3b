package dev.kedge.reproduction.inpo;

import dev.kedge.lab.claim.Claim.Arm;
import dev.kedge.lab.claim.Experiment;
import dev.kedge.lab.claim.Outcome;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.reproduction.games.GameMethod;
import dev.kedge.reproduction.games.GameSampling;
import dev.kedge.reproduction.games.GameTrajectory;
import dev.kedge.reproduction.games.GameTrajectory.Point;
import dev.kedge.reproduction.games.GameTrajectory.Quality;
import dev.kedge.reproduction.games.TabularDynamics;
import dev.kedge.reproduction.games.TabularGames;
import dev.kedge.run.result.Frontier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// The experiments behind INPO's claims.
public final class InpoExperiments {
    private static final double TAU = 0.05;
    private static final double SAMPLED_TAU = 0.1;
    private static final int POINTS = 25;

    /// The inverse step size in the middle of the sweep, at which most claims are read.
    static final double ETA = 0.5;

    /// That of the paper's ratio of tau to eta, 1/3.
    static final double PAPERS_ETA = 3 * TAU;

    /// All of the sweep.
    static final double[] ETAS = {PAPERS_ETA, ETA, 1.5};

    private InpoExperiments() {}

    /// How large the experiments are.
    ///
    /// @param actions           of a game with exact updates
    /// @param iterations        exact ones
    /// @param dpoIterations     of iterative DPO, which comes to rest at once
    /// @param sampledActions    of a game with sampled updates
    /// @param sampledIterations sampled ones
    /// @param pairs             drawn an iteration
    public record Scale(
            int actions, int iterations, int dpoIterations, int sampledActions, int sampledIterations, int pairs) {
        static final Scale PUBLISHED = new Scale(10, 300, 50, 6, 40, 2000);
    }

    enum Method {
        INPO("INPO"),
        SELF_PLAY("self-play without reference"),
        ITERATIVE_DPO("iterative DPO");

        private final String title;

        Method(String title) {
            this.title = title;
        }

        GameMethod with(double eta) {
            return switch (this) {
                case INPO -> new GameMethod.Inpo(eta);
                case SELF_PLAY -> new GameMethod.SelfPlay(eta);
                case ITERATIVE_DPO -> new GameMethod.IterativeDpo();
            };
        }

        /// The arm that reads a measure of this method's last iterate.
        Arm arm(String measure, double eta) {
            return new Arm(title, number(measure, eta));
        }

        Arm average(String measure, double eta) {
            return new Arm("average of " + title, number(measure + " of the average", eta));
        }

        String number(String measure, double eta) {
            return measure + ", " + title + (this == ITERATIVE_DPO ? "" : ", eta " + eta);
        }
    }

    private record Setting(Method method, double eta) {}

    static final String GAP = "log gap";
    static final String EXPLOITABILITY = "exploitability";

    /// Games with exact updates.
    static Experiment exact(Scale s) {
        var description = "A random game of " + s.actions + " actions a seed (P below the diagonal uniform in [0, 1]), "
                + "a reference of standard normal logits, where play begins, tau " + TAU + "; exact updates, "
                + s.iterations + " iterations. INPO and the same step with tau 0 at eta "
                + Arrays.stream(ETAS).mapToObj(Quantity::number).collect(Collectors.joining(", "))
                + "; iterative DPO with beta tau, " + s.dpoIterations + " iterations of 100 gradient steps.";
        return new Experiment("random-games", description, 20, seed -> exact(s, seed));
    }

    private static Outcome exact(Scale s, long seed) {
        var games = TabularGames.random(1, s.actions, TAU, seed);
        var all = new LinkedHashMap<Setting, GameTrajectory>();
        for (double eta : ETAS) {
            for (var m : List.of(Method.INPO, Method.SELF_PLAY)) {
                all.put(
                        new Setting(m, eta),
                        TabularDynamics.exact(m.with(eta), games, s.iterations, every(s.iterations))
                                .getFirst());
            }
        }
        all.put(
                new Setting(Method.ITERATIVE_DPO, ETA),
                TabularDynamics.exact(Method.ITERATIVE_DPO.with(ETA), games, s.dpoIterations, every(s.dpoIterations))
                        .getFirst());
        return outcome(all).with(picture("Exact updates", all));
    }

    /// Games with updates from drawn pairs and labels.
    static Experiment sampled(Scale s) {
        var description = "A random game of " + s.sampledActions + " actions a seed (P below the diagonal uniform in "
                + "[0, 1]), a reference of standard normal logits, where play begins, tau " + SAMPLED_TAU + "; "
                + s.sampledIterations + " iterations, each of 60 gradient steps on " + s.pairs + " pairs that "
                + "the policy drew, with one drawn label each. INPO and the same step with tau 0 at eta " + ETA
                + "; iterative DPO with beta tau.";
        return new Experiment("sampled-games", description, 20, seed -> sampled(s, seed));
    }

    private static Outcome sampled(Scale s, long seed) {
        var games = TabularGames.random(1, s.sampledActions, SAMPLED_TAU, seed);
        var all = new LinkedHashMap<Setting, GameTrajectory>();
        for (var m : Method.values()) {
            var sampling = new GameSampling(s.pairs, 60, seed);
            all.put(
                    new Setting(m, ETA),
                    TabularDynamics.sampled(
                                    m.with(ETA), games, sampling, s.sampledIterations, every(s.sampledIterations))
                            .getFirst());
        }
        return outcome(all).with(picture("Sampled updates", all));
    }

    private static int every(int iterations) {
        return Math.max(1, iterations / POINTS);
    }

    private static Outcome outcome(Map<Setting, GameTrajectory> all) {
        var outcome = Outcome.NOTHING;
        for (var setting : all.keySet()) {
            var end = all.get(setting).end();
            outcome = with(outcome, setting, "", end.last());
            outcome = with(outcome, setting, " of the average", end.average());
        }
        return outcome;
    }

    private static Outcome with(Outcome outcome, Setting setting, String of, Quality quality) {
        return outcome.with(setting.method.number(GAP + of, setting.eta), quality.logGap())
                .with(setting.method.number(EXPLOITABILITY + of, setting.eta), quality.exploitability());
    }

    private static Frontier picture(String title, Map<Setting, GameTrajectory> all) {
        var arms = new ArrayList<Frontier.Arm>();
        all.forEach((setting, t) -> {
            if (setting.eta == ETA) {
                arms.add(t.arm(
                        setting.method.title, Point::updates, p -> p.last().logGap()));
                if (setting.method != Method.ITERATIVE_DPO) {
                    arms.add(t.arm("average of " + setting.method.title, Point::updates, p -> p.average()
                            .logGap()));
                }
            }
        });
        return new Frontier(title + ", eta " + ETA, "iterations", "log10 of the duality gap", arms);
    }
}
