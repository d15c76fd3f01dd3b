package dev.kedge.recipe.variational;

import dev.kedge.config.Kind;
import dev.kedge.env.MomentConstraints;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.tensor.Require;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.util.Arrays;
import java.util.Locale;

/// What a policy should become: modelling, apart from the inference that brings it there ([DpgInference]). Each but the
/// first is a distribution `p = P/Z` with `P = prior·exp(reward/beta)`.
public sealed interface DpgTarget {
    /// What it is made of.
    Score score();

    /// How often a text occurs in another, places that overlap included.
    ///
    /// @param text of letters, at least one
    /// @param once whether to count no more than one
    record Score(String text, boolean once) {
        public Score {
            if (!text.matches("[a-z]+")) {
                throw new IllegalArgumentException("text must be small letters, such as ab, was \"" + text + "\"");
            }
        }

        double of(String whole) {
            int count = 0;
            for (int at = whole.indexOf(text); at >= 0; at = whole.indexOf(text, at + 1)) {
                count++;
            }
            return once ? Math.min(count, 1) : count;
        }
    }

    /// The most reward, whatever the prior says: no distribution with a density, but a point.
    @Kind("best")
    record Best(Score score) implements DpgTarget {}

    /// The posterior of KL-regularised reward: `P = prior·exp(score/beta)`.
    ///
    /// @param beta reward per nat, > 0
    @Kind("posterior")
    record Posterior(Score score, double beta) implements DpgTarget {
        public Posterior {
            Require.positive("beta", beta);
        }
    }

    /// The prior given that the score is at least this: `P` is 0 elsewhere.
    @Kind("constraint")
    record Constraint(Score score, double atLeast) implements DpgTarget {}

    /// Of all distributions whose mean score is `mean` the nearest to the prior: `P = prior·exp(lambda·score)`.
    ///
    /// @param samples of the prior that lambda is fitted on, >= 1
    @Kind("moment")
    record Moment(Score score, double mean, int samples) implements DpgTarget {
        public Moment {
            if (samples < 1) {
                throw new IllegalArgumentException("samples must be at least 1, were " + samples);
            }
        }
    }

    /// A target over all texts of a language.
    ///
    /// @param reward   of each text, `-Infinity` where the target has no mass
    /// @param beta     what the divergence from the prior costs, 0: nothing
    /// @param logScore `log P = log prior + reward/beta`, nats; of no meaning where beta is 0
    record Aim(double[] reward, double beta, double[] logScore) {
        static Aim of(double[] reward, double beta, double[] logPrior) {
            double[] logScore = new double[reward.length];
            Arrays.setAll(logScore, i -> logPrior[i] + reward[i] / beta);
            return new Aim(reward, beta, logScore);
        }

        boolean isDistribution() {
            return beta > 0;
        }

        /// `log p`, normalised, nats.
        double[] logTarget() {
            try (Scope _ = new Scope()) {
                return Tensor.of(logScore, logScore.length).logSoftmax(0).toDoubles();
            }
        }
    }

    /// @throws IllegalArgumentException if no text of the language will do
    default void requireReachable(EnumerableLanguage.Config language) {
        if (score().text().chars().anyMatch(c -> c >= 'a' + language.letters())
                || score().text().length() > language.length()) {
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "text \"%s\" never occurs: it must have at most %d letters from a to %c",
                    score().text(),
                    language.length(),
                    (char) ('a' + language.letters() - 1)));
        }
        double most = Arrays.stream(EnumerableLanguage.table(language, score()::of))
                .max()
                .orElseThrow();
        switch (this) {
            case Constraint c
            when c.atLeast > most ->
                throw new IllegalArgumentException(
                        "at_least must be at most " + most + ", the highest score of a text, was " + c.atLeast);
            case Moment m
            when !(m.mean > 0 && m.mean < most) ->
                throw new IllegalArgumentException(
                        "mean must lie between the scores of texts, 0 and " + most + ", was " + m.mean);
            default -> {}
        }
    }

    /// The target over the texts of a language.
    default Aim aim(EnumerableLanguage language, long seed) {
        double[] scores = EnumerableLanguage.table(language.config(), score()::of);
        return switch (this) {
            case Best _ -> new Aim(scores, 0, scores);
            case Posterior p -> Aim.of(scores, p.beta, language.logPrior());
            case Constraint c ->
                Aim.of(
                        Arrays.stream(scores)
                                .map(s -> s >= c.atLeast ? 0 : Double.NEGATIVE_INFINITY)
                                .toArray(),
                        1,
                        language.logPrior());
            case Moment m -> {
                double lambda = lambda(m, language, scores, seed);
                yield Aim.of(Arrays.stream(scores).map(s -> lambda * s).toArray(), 1, language.logPrior());
            }
        };
    }

    /// As one would fit it where texts cannot be enumerated: on samples of the prior.
    private static double lambda(Moment m, EnumerableLanguage language, double[] scores, long seed) {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(Streams.of(seed, "moment"))) {
            Tensor features = language.sample(language.prior(), EnumerableLanguage.Reads.TEXT, m.samples, rng)
                    .of(scores);
            return MomentConstraints.fit(
                            features.zerosLike(), features.unsqueeze(1), Tensor.of(m.mean), 0.5, 0.01, 1000)
                    .item();
        }
    }
}
