package dev.kedge.recipe.sparsity;

import dev.kedge.recipe.policy.Environment;
import dev.kedge.run.SubnetworkMask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Engine;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/// What [SubnetworkRecipe] trains, and by what.
///
/// @param environment questions, verifier, and the policy to start from
/// @param algorithms to compare, GRPO among them
/// @param rates      learning rates of the comparison, that of `subnetwork` among them
/// @param group      completions of a question, of GRPO's draws and of those that DPO's pairs are made of, >= 2
/// @param klBeta     strength of the KL of GRPO with KL, > 0
/// @param dpoBeta    DPO's, > 0
/// @param tolerance  a change by no more counts as none, >= 0; customarily 1e-5
/// @param dtype      in which masks are made: bfloat16 or float32
/// @param training   how each policy is moved; its examples are questions, or pairs
/// @param samples    completions of a held-out question in an evaluation, >= 1
/// @param device     cpu, cuda or cuda:N
/// @param threads    of the engine: a model this small loses more to waking a second one than it gains
/// @param seed       of everything drawn
public record SubnetworkConfig(
        Environment environment,
        List<Algorithm> algorithms,
        List<Double> rates,
        int group,
        double klBeta,
        double dpoBeta,
        double tolerance,
        DType dtype,
        TrainingConfig training,
        int samples,
        String device,
        int threads,
        long seed) {
    public SubnetworkConfig {
        Engine.requireThreads(threads);
        if (!algorithms.contains(Algorithm.GRPO)
                || algorithms.stream().distinct().count() < algorithms.size()) {
            throw new IllegalArgumentException("algorithms must be different, grpo among them, were " + algorithms);
        }
        if (!rates.contains(training.learningRate())
                || rates.stream().distinct().count() < rates.size()) {
            throw new IllegalArgumentException("rates must be different, the learning_rate " + training.learningRate()
                    + " among them, were " + rates);
        }
        rates.forEach(training::at);
        if (group < 2 || samples < 1) {
            throw new IllegalArgumentException(
                    "group >= 2 and samples >= 1 expected, were " + group + " and " + samples);
        }
        if (!(klBeta > 0 && dpoBeta > 0 && klBeta + dpoBeta < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    "kl_beta and dpo_beta must be finite and > 0, were " + klBeta + " and " + dpoBeta);
        }
        if (training.mask().isPresent()) {
            throw new IllegalArgumentException("mask must be absent: masks are made here");
        }
        new SubnetworkMask.Changed(Path.of("start"), Path.of("full"), tolerance, dtype);
    }

    /// How the start may be trained.
    public enum Algorithm {
        /// On the right answers to the training questions.
        SFT("SFT"),
        /// Without KL.
        GRPO("GRPO"),
        /// With the KL from the start in its loss.
        GRPO_KL("GRPO, KL"),
        /// Without clipping of gradients.
        GRPO_UNCLIPPED("GRPO, unclipped"),
        /// On pairs of the start's own answers, right and wrong.
        DPO("DPO");

        private final String title;

        Algorithm(String title) {
            this.title = title;
        }

        /// As pictures and tables have it.
        public String title() {
            return title;
        }

        /// What its policy at a rate is called in metrics, such as `grpo-1e-5`.
        public String phase(double rate) {
            String name = name().toLowerCase(Locale.ROOT).replace('_', '-');
            return name + "-" + written(rate).replace('.', '_');
        }
    }

    /// A rate as people write it, such as 1e-5.
    static String written(double rate) {
        return ("" + rate).toLowerCase(Locale.ROOT).replace(".0e", "e");
    }
}
