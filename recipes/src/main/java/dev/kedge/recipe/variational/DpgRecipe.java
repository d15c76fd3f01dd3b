package dev.kedge.recipe.variational;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.recipe.variational.DpgConfig.Method;
import dev.kedge.recipe.variational.DpgInference.Baseline;
import dev.kedge.recipe.variational.DpgInference.PolicyGradient;
import dev.kedge.recipe.variational.DpgTarget.Aim;
import dev.kedge.run.Run;
import dev.kedge.run.Step;
import dev.kedge.run.StepMetrics;
import dev.kedge.run.Training;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Reads;
import dev.kedge.task.EnumerableLanguage.Samples;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/// KL-regularised reward as Bayesian inference (arXiv:2205.11275): what a policy should become, the target, is one
/// choice; how it is brought there, the inference, another. Each method is a pair of them, and all start from one
/// prior.
///
/// Texts are so few that the prior, the targets and every policy are known exactly ([EnumerableLanguage]); training
/// does not see that and learns from samples. REINFORCE goes to the best text or, with the divergence from the prior in
/// its reward, to the posterior by the reverse KL; distributional policy gradients (DPG) go to any target by the
/// forward KL.
///
/// Kept: the log-ratio in the reward, a constant; importance weights in float64; KL-adaptive proposals with a running
/// mean of Z; moment constraints fitted on the prior's samples. Otherwise: Z is divided out unless told not to. Left
/// out: PPO, an adaptive beta (its target moves), prompts.
///
/// Command: `./kedge run recipes/rl-kl-bayes.yaml`. Numbers: docs/papers/rl-kl-bayes.md.
public final class DpgRecipe {
    private DpgRecipe() {}

    public static void run(DpgConfig config, Run run) {
        Engine.useThreads(config.threads());
        try (var language =
                new EnumerableLanguage(config.language(), run, new Device(config.device()), config.seed())) {
            for (Reads reads : Reads.values()) { // checkpoints of methods come after those of what they start from
                if (config.methods().stream().anyMatch(method -> method.reads() == reads)) {
                    language.pretrained(reads).close();
                }
            }
            DpgEvaluation evaluation = new DpgEvaluation(config, language);
            run.latest().ifPresent(evaluation::restore);
            for (Method method : config.methods()) {
                if (!Models.isComplete(folder(run, method))) {
                    try (Decoder policy = start(language, method)) {
                        train(config, language, evaluation, method, policy, run);
                        EnumerableLanguage.save(policy, folder(run, method));
                    }
                }
            }
            Method first = config.methods().getFirst();
            try (Decoder policy = Models.load(folder(run, first), language.device())) {
                EnumerableLanguage.save(policy, run.folder().resolve("model"));
            }
            Map<Method, double[]> policies = new LinkedHashMap<>();
            for (Method method : config.methods()) {
                try (Decoder policy = Models.load(folder(run, method), language.device())) {
                    policies.put(method, language.logProbs(policy, method.reads()));
                }
            }
            run.summarise(new DpgSummary(config, language, evaluation, policies).summary(run.seconds()));
        }
    }

    private static Decoder start(EnumerableLanguage language, Method method) {
        return method.reads() == Reads.TEXT ? language.prior().copy() : language.pretrained(Reads.PLACE);
    }

    private static Path folder(Run run, Method method) {
        return run.folder().resolve("policies").resolve(method.phase());
    }

    /// The loop of one method.
    private static void train(
            DpgConfig config,
            EnumerableLanguage language,
            DpgEvaluation evaluation,
            Method method,
            Decoder policy,
            Run run) {
        evaluation.evaluate(method, policy, 0);
        TrainingConfig training = config.training()
                .at(method.learningRate().orElse(config.training().learningRate()));
        int[] batch = IntStream.range(0, training.batchSize()).toArray();
        Aim aim = evaluation.aim(method.target());
        try (var proposal = new DpgProposal(language, method, aim.logScore(), policy, run);
                var loop = new Training(run, method.phase(), training, policy.parameters(), proposal, evaluation)) {
            Sampler sampler = new Sampler(language, method, aim, policy, proposal);
            loop.run(step -> {
                // What is sampled is a function of seed and step, and the same for all methods.
                WeightedSamples drawn = sampler.sample(batch.length, step, config.seed());
                return Step.on(batch, training.microBatch(), rows -> sampler.gradient(drawn, rows))
                        .completed(m -> drawn.metrics.forEach(m::put))
                        .then(m -> {
                            if ((step + 1) % config.evaluateEvery() == 0 || step + 1 == training.steps()) {
                                evaluation.evaluate(method, policy, step + 1).forEach(m::put);
                            }
                        })
                        .tokens((long) batch.length * config.language().length());
            });
        }
    }

    /// The samples of a step, each with the weight of its log-probability.
    ///
    /// @param weights float64, `[B]`
    private record WeightedSamples(Samples samples, Tensor weights, Map<String, Double> metrics) {}

    /// How the samples of one method are drawn and learnt from.
    private record Sampler(EnumerableLanguage language, Method method, Aim aim, Decoder policy, DpgProposal proposal) {
        WeightedSamples sample(int batch, int step, long seed) {
            Map<String, Double> metrics = new LinkedHashMap<>();
            Samples samples;
            Tensor weights;
            try (Rng rng = Rng.seeded(Streams.of(seed, "samples", step))) {
                switch (method.inference()) {
                    case PolicyGradient(Baseline baseline) -> {
                        samples = language.sample(policy, method.reads(), batch, rng);
                        Tensor reward = samples.of(aim.reward());
                        metrics.put("sampled/reward", reward.mean().item());
                        weights = advantages(samples, reward, baseline);
                    }
                    case DpgInference.Dpg dpg -> {
                        if (step % dpg.proposal().every() == 0) {
                            metrics.putAll(proposal.adapt(dpg.proposal(), rng));
                        }
                        samples = proposal.sample(batch, rng);
                        weights = weights(dpg, samples);
                        metrics.put("sampled/normaliser", proposal.normaliser());
                    }
                }
            }
            metrics.put(
                    "weight_std",
                    weights.minus(weights.mean()).square().mean().sqrt().item());
            return new WeightedSamples(samples, weights, metrics);
        }

        /// Rewards less their baseline, the divergence from the prior paid where it costs anything.
        private Tensor advantages(Samples samples, Tensor reward, Baseline baseline) {
            Tensor logPrior = samples.of(language.logPrior());
            Tensor penalised = aim.beta() > 0
                    ? EvidenceBound.rewardWithPenalty(samples.logProbs(), logPrior, reward, aim.beta())
                    : reward;
            return switch (baseline) {
                case NONE -> penalised;
                case BATCH_MEAN -> penalised.minus(penalised.mean());
                case LEAVE_ONE_OUT ->
                    LeaveOneOut.advantages(penalised.unsqueeze(0)).squeeze(0);
            };
        }

        private Tensor weights(DpgInference.Dpg dpg, Samples samples) {
            Tensor logTarget = samples.of(aim.logScore());
            Tensor weights = dpg.baseline()
                    ? Dpg.advantages(
                            logTarget, samples.logProbs(), proposal.policyLogProbs(samples), proposal.normaliser())
                    : Dpg.weights(logTarget, samples.logProbs());
            return dpg.divideByZ() ? weights.div(proposal.normaliser()) : weights;
        }

        /// Adds the gradient of these rows' share of the step's loss.
        StepMetrics gradient(WeightedSamples drawn, int[] rows) {
            Tensor tokens = drawn.samples.tokens().narrow(0, rows[0], rows.length);
            Tensor logProbs = language.logProbs(policy, method.reads(), tokens);
            Tensor weights = drawn.weights.narrow(0, rows[0], rows.length).to(logProbs.device());
            Tensor loss = Dpg.dpg(logProbs, weights, drawn.weights.numel()).value();
            loss.backward();
            return new StepMetrics().add("loss", loss.item());
        }
    }
}
