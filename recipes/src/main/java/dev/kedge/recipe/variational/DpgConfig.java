package dev.kedge.recipe.variational;

import dev.kedge.recipe.variational.DpgInference.PolicyGradient;
import dev.kedge.run.TrainingConfig;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Require;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What [DpgRecipe] trains.
///
/// @param language      texts, decoders and prior
/// @param reward        by which all policies are measured
/// @param methods       in turn, each from the prior on; the first one's policy is kept as `model`
/// @param training      how each policy is moved; a batch is that many samples
/// @param evaluateEvery steps between exact evaluations, >= 1
/// @param distinct      samples of a policy among which different ones are counted, >= 1
/// @param device        cpu, cuda or cuda:N
/// @param threads       of the engine: a model this small loses more to waking a second one than it gains
/// @param seed          of everything drawn
public record DpgConfig(
        EnumerableLanguage.Config language,
        DpgTarget.Score reward,
        List<Method> methods,
        TrainingConfig training,
        int evaluateEvery,
        int distinct,
        String device,
        int threads,
        long seed) {
    public DpgConfig {
        Engine.requireThreads(threads);
        if (methods.isEmpty() || methods.stream().map(Method::phase).distinct().count() < methods.size()) {
            throw new IllegalArgumentException("methods must have different names, at least one, were "
                    + methods.stream().map(Method::name).toList());
        }
        if (evaluateEvery < 1 || distinct < 1) {
            throw new IllegalArgumentException(
                    "evaluate_every >= 1 and distinct >= 1 expected, were " + evaluateEvery + " and " + distinct);
        }
        new DpgTarget.Best(reward).requireReachable(language);
        methods.forEach(method -> method.target().requireReachable(language));
        if (training.batchSize() < 2) {
            throw new IllegalArgumentException("batch_size must be at least 2, was " + training.batchSize());
        }
    }

    /// @param name         of the policy, for pictures and files
    /// @param learningRate at its peak; that of `dpg` where there is none
    public record Method(
            String name, DpgTarget target, DpgInference inference, Reads reads, Optional<Double> learningRate) {
        public Method {
            if (phaseOf(name).isEmpty() || phaseOf(name).startsWith(EnumerableLanguage.PHASE)) {
                throw new IllegalArgumentException("name must hold a letter or digit and not begin with "
                        + EnumerableLanguage.PHASE + ", was \"" + name + "\"");
            }
            if (inference instanceof PolicyGradient && target instanceof DpgTarget.Constraint) {
                throw new IllegalArgumentException("inference of kind policy_gradient needs a target with mass"
                        + " everywhere, as its reward is the log of it; a constraint has zeros: take kind dpg");
            }
            if (inference instanceof DpgInference.Dpg && target instanceof DpgTarget.Best) {
                throw new IllegalArgumentException("inference of kind dpg needs a target that is a distribution, and"
                        + " the best text alone is none: take posterior, constraint or moment");
            }
            learningRate.ifPresent(rate -> Require.positive("learning_rate", rate));
        }

        /// The name as metrics and files have it.
        public String phase() {
            return phaseOf(name);
        }

        private static String phaseOf(String name) {
            return name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        }
    }
}
