package dev.kedge.lab.compare;

import dev.kedge.config.ConfigException;
import dev.kedge.config.Names;
import dev.kedge.env.PreferenceGame;
import dev.kedge.env.RegularizedGame;
import dev.kedge.lab.tabular.Bandit;
import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// What methods are compared on.
public enum ComparisonTask {
    BANDIT(
            "bandit",
            "reward",
            "expected reward",
            "A bandit with 4 contexts of 50 outcomes, a random reference (softmax of standard normal logits) and "
                    + "standard normal rewards; the judge's labels are Bradley-Terry's. Reward, KL and the optimum are "
                    + "exact.") {
        @Override
        Arena arena(long seed) {
            return Arena.bradleyTerry(Bandit.random(4, 50, seed));
        }
    },
    GAME(
            "game",
            "win rate",
            "win rate against the reference",
            "A preference game in each of 4 contexts of 10 outcomes: one outcome beats another with a probability "
                    + "drawn uniformly from [0, 1], so that preferences go in cycles and no reward explains them; a "
                    + "random reference (softmax of standard normal logits). The policy that wins most against the "
                    + "reference at its divergence is π ~ ref·exp(P(y > ref)/β); it is drawn as the optimum. Pairs "
                    + "that the reference drew show just these wins, which favours offline methods. The optimum is "
                    + "not the equilibrium of the regularised game, π ~ ref·exp(P(y > π)/β), to which methods go that "
                    + "play against themselves; how far a policy is from that says the duality gap, given where a "
                    + "method's strength is the game's β. Win rates, KL, gaps and the optimum are exact.") {
        @Override
        Arena arena(long seed) {
            int contexts = 4;
            int outcomes = 10;
            var judges = LongStream.range(0, contexts)
                    .mapToObj(x -> PreferenceGame.random(outcomes, Streams.of(seed, "judge", x)))
                    .toList();
            var logRef = Bandit.random(contexts, outcomes, seed).logRef();
            return Arena.againstReference(logRef, judges);
        }
    };

    private final String title;
    private final String measure;
    private final String axis;
    private final String description;

    ComparisonTask(String title, String measure, String axis, String description) {
        this.title = title;
        this.measure = measure;
        this.axis = axis;
        this.description = description;
    }

    /// The task itself; equal seeds give equal tasks.
    abstract Arena arena(long seed);

    /// Its name, as a command takes it.
    public String title() {
        return title;
    }

    /// What of a policy is measured, in a word or two.
    public String measure() {
        return measure;
    }

    /// [#measure], as an axis is labelled.
    public String axis() {
        return axis;
    }

    /// What it is, in words.
    public String description() {
        return description;
    }

    /// The task of that name.
    ///
    /// @throws ConfigException naming the nearest, if there is none
    public static ComparisonTask named(String title) {
        return Arrays.stream(values())
                .filter(t -> t.title.equals(title))
                .findFirst()
                .orElseThrow(() -> new ConfigException("no task `" + title + "`"
                        + Names.advice(
                                title,
                                Arrays.stream(values())
                                        .map(ComparisonTask::title)
                                        .toList())));
    }

    /// Where policies are trained and measured.
    ///
    /// @param bandit the reference, and as reward of an outcome what a policy is measured by in expectation
    /// @param judges who beats whom, in each context
    public record Arena(ComparisonTask task, Bandit bandit, List<PreferenceGame> judges) {
        public Arena {
            judges = List.copyOf(judges);
        }

        /// A bandit with Bradley and Terry as judges.
        public static Arena bradleyTerry(Bandit bandit) {
            return new Arena(
                    BANDIT,
                    bandit,
                    Arrays.stream(bandit.reward())
                            .map(PreferenceGame::bradleyTerry)
                            .toList());
        }

        /// Games in which an outcome is worth its win rate against the reference.
        ///
        /// @param logRef `[X, n]`
        public static Arena againstReference(double[][] logRef, List<PreferenceGame> judges) {
            var winRates = IntStream.range(0, logRef.length)
                    .mapToObj(x -> judges.get(x)
                            .winRates(Arrays.stream(logRef[x]).map(Math::exp).toArray()))
                    .toArray(double[][]::new);
            return new Arena(GAME, new Bandit(logRef, winRates), judges);
        }

        /// Pairs that the reference draws, with labels: what offline methods learn from.
        ///
        /// On a bandit the two outcomes differ. In a game they are independent, as IPO's theorem has it: where
        /// preferences are no differences of rewards, the law of the pairs moves what a method comes to.
        public Bandit.Pairs pairs(int count, long seed) {
            return switch (task) {
                case BANDIT -> bandit.pairs(count, seed);
                case GAME -> {
                    double[] ref = Arrays.stream(logRef())
                            .flatMapToDouble(Arrays::stream)
                            .toArray();
                    yield new PairSampler(judges, seed).pairs(ref, ref, count).sorted();
                }
            };
        }

        /// Of the games regularised with beta, mean over contexts: 0 at the equilibria only.
        ///
        /// @param logPolicy `[X, n]`
        /// @return NaN where the policy is not finite
        public double dualityGap(double[][] logPolicy, double beta) {
            if (!Arrays.stream(logPolicy).flatMapToDouble(Arrays::stream).allMatch(Double::isFinite)) {
                return Double.NaN;
            }
            return IntStream.range(0, contexts())
                    .mapToDouble(x -> new RegularizedGame(judges.get(x), logRef()[x], beta).dualityGap(logPolicy[x]))
                    .average()
                    .orElseThrow();
        }

        public int contexts() {
            return bandit.contexts();
        }

        public int outcomes() {
            return bandit.outcomes();
        }

        public double[][] logRef() {
            return bandit.logRef();
        }
    }
}
