package dev.kedge.recipe.variational;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.policy.LeaveOneOut;
import dev.kedge.objective.variational.Dpg;
import dev.kedge.objective.variational.EvidenceBound;
import dev.kedge.objective.variational.TargetEstimates;
import dev.kedge.recipe.variational.DpgInference.Baseline;
import dev.kedge.recipe.variational.DpgInference.Criterion;
import dev.kedge.recipe.variational.DpgInference.PolicyGradient;
import dev.kedge.recipe.variational.DpgTarget.Aim;
import dev.kedge.run.Checkpoint;
import dev.kedge.run.Progress;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.SavedCheckpoint;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.task.EnumerableLanguage;
import dev.kedge.task.EnumerableLanguage.Draws;
import dev.kedge.task.EnumerableLanguage.Reads;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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

    /// @param language      texts, decoders and prior
    /// @param reward        by which all policies are measured
    /// @param methods       in turn, each from the prior on; the first one's policy is kept as `model`
    /// @param training      how each policy is moved; a batch is that many samples
    /// @param evaluateEvery steps between exact evaluations, >= 1
    /// @param distinct      samples of a policy among which different ones are counted, >= 1
    /// @param device        cpu, cuda or cuda:N
    /// @param threads       of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed          of everything drawn
    public record Config(
            EnumerableLanguage.Config language,
            DpgTarget.Score reward,
            List<Method> methods,
            TrainingConfig training,
            int evaluateEvery,
            int distinct,
            String device,
            int threads,
            long seed) {
        public Config {
            if (methods.isEmpty()
                    || methods.stream().map(Method::phase).distinct().count() < methods.size()) {
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
            if (learningRate.isPresent()
                    && !(learningRate.get() > 0 && learningRate.get() < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("learning_rate must be finite and > 0, was " + learningRate.get());
            }
        }

        /// The name as metrics and files have it.
        public String phase() {
            return phaseOf(name);
        }

        private static String phaseOf(String name) {
            return name.toLowerCase().replaceAll("[^a-z0-9]+", "-").replaceAll("^-|-$", "");
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        try (var language =
                new EnumerableLanguage(config.language(), run, new Device(config.device()), config.seed())) {
            for (Reads reads : Reads.values()) { // checkpoints of methods come after those of what they start from
                if (config.methods().stream().anyMatch(method -> method.reads() == reads)) {
                    language.pretrained(reads).close();
                }
            }
            DpgEvaluation evaluation = new DpgEvaluation(config, language);
            evaluation.restore(run.latest());
            for (Method method : config.methods()) {
                if (!Models.isComplete(folder(run, method))) {
                    try (Decoder policy = start(language, method);
                            Decoder proposal = policy.copy()) {
                        new Training(config, language, evaluation, method, policy, proposal, run).train();
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
            run.summarise(DpgSummary.summary(config, language, evaluation, policies, run.seconds()));
        }
    }

    private static Decoder start(EnumerableLanguage language, Method method) {
        return method.reads() == Reads.TEXT ? language.prior().copy() : language.pretrained(Reads.PLACE);
    }

    private static Path folder(Run run, Method method) {
        return run.folder().resolve("policies").resolve(method.phase());
    }

    /// The loop of one method.
    private static final class Training {
        private final Config config;
        private final EnumerableLanguage language;
        private final DpgEvaluation evaluation;
        private final Method method;
        private final Decoder policy;
        private final Decoder proposal;
        private final Run run;
        private final Aim aim;

        /// Mean of the estimates of Z so far, and their number.
        private double normaliser = Double.NaN;

        private long estimates;

        /// The nearest that a proposal was to the target.
        private double nearest = Double.POSITIVE_INFINITY;

        Training(
                Config config,
                EnumerableLanguage language,
                DpgEvaluation evaluation,
                Method method,
                Decoder policy,
                Decoder proposal,
                Run run) {
            this.config = config;
            this.language = language;
            this.evaluation = evaluation;
            this.method = method;
            this.policy = policy;
            this.proposal = proposal;
            this.run = run;
            aim = evaluation.aim(method.target());
        }

        /// Goes on from the run's checkpoint where that is of this method.
        void train() {
            TrainingConfig o = config.training()
                    .at(method.learningRate().orElse(config.training().learningRate()));
            Schedule schedule = o.schedules();
            try (AdamW optimizer = o.optimizer(policy.parameters())) {
                int first = 0;
                var saved = run.latest().filter(c -> c.phase().equals(method.phase()));
                if (saved.isPresent()) {
                    first = restored(saved.get(), optimizer);
                } else {
                    evaluation.evaluate(method, policy, 0);
                }
                try (Progress progress = run.progress(method.phase(), first, o.steps())) {
                    for (int step = first; step < o.steps(); step++) {
                        // A step's draws are a function of seed and step, and the same for all methods.
                        try (Rng rng = Rng.seeded(31 * config.seed() + step)) {
                            Map<String, Double> metrics = gradient(step, rng);
                            metrics.put("grad_norm", policy.parameters().clipGradient(o.maxGradNorm()));
                            run.guard(method.phase(), step + 1L, metrics);
                            optimizer.step(schedule.at(step));
                            if ((step + 1) % config.evaluateEvery() == 0 || step + 1 == o.steps()) {
                                metrics.putAll(evaluation.evaluate(method, policy, step + 1));
                            }
                            run.log(method.phase(), step + 1L, metrics);
                            progress.step(
                                    step + 1L,
                                    metrics.get("loss"),
                                    (long) o.batchSize() * config.language().length());
                        }
                        if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                            run.save(evaluation.keep(Checkpoint.at(method.phase(), step + 1)
                                    .tensors("model", policy.parameters().named())
                                    .tensors("proposal", proposal.parameters().named())
                                    .tensors("optimizer", optimizer.state())
                                    .number("normaliser", normaliser)
                                    .count("estimates", estimates)
                                    .number("nearest", nearest)));
                        }
                    }
                }
            }
        }

        private int restored(SavedCheckpoint saved, AdamW optimizer) {
            saved.restore("model", policy.parameters().named());
            saved.restore("proposal", proposal.parameters().named());
            saved.restore("optimizer", optimizer.state());
            normaliser = saved.number("normaliser");
            estimates = saved.count("estimates");
            nearest = saved.number("nearest");
            return (int) saved.step();
        }

        /// Adds the gradient of a step's loss, micro-batch by micro-batch.
        private Map<String, Double> gradient(int step, Rng rng) {
            int batch = config.training().batchSize();
            Map<String, Double> metrics = new TreeMap<>();
            try (Scope _ = new Scope()) {
                Draws draws;
                Tensor weights;
                switch (method.inference()) {
                    case PolicyGradient(Baseline baseline) -> {
                        draws = language.draw(policy, method.reads(), batch, rng);
                        Tensor reward = draws.of(aim.reward());
                        metrics.put("sampled/reward", reward.mean().item());
                        weights = advantages(
                                draws.logProbs(), draws.of(language.logPrior()), reward, aim.beta(), baseline);
                    }
                    case DpgInference.Dpg dpg -> {
                        if (step % dpg.proposal().every() == 0) {
                            metrics.putAll(adapt(dpg.proposal(), rng));
                        }
                        draws = language.draw(proposal, method.reads(), batch, rng);
                        weights = weights(dpg, draws);
                        metrics.put("sampled/normaliser", normaliser);
                    }
                }
                metrics.put(
                        "weight_std",
                        weights.minus(weights.mean()).square().mean().sqrt().item());
                double loss = 0;
                for (int from = 0; from < batch; from += config.training().microBatch()) {
                    try (Scope _ = new Scope()) {
                        int rows = Math.min(config.training().microBatch(), batch - from);
                        Tensor tokens = draws.tokens().narrow(0, from, rows);
                        Tensor logProbs = language.logProbs(policy, method.reads(), tokens);
                        Tensor part = weights.narrow(0, from, rows).to(logProbs.device());
                        Loss partial = Dpg.dpg(logProbs, part, batch);
                        partial.value().backward();
                        loss += partial.value().item();
                    }
                }
                metrics.put("loss", loss);
                return metrics;
            }
        }

        /// Rewards less their baseline, the divergence from the prior paid where it costs anything.
        private static Tensor advantages(
                Tensor logProbs, Tensor logPrior, Tensor reward, double beta, Baseline baseline) {
            Tensor worth = beta > 0 ? EvidenceBound.rewardWithPenalty(logProbs, logPrior, reward, beta) : reward;
            return switch (baseline) {
                case NONE -> worth;
                case BATCH_MEAN -> worth.minus(worth.mean());
                case LEAVE_ONE_OUT -> LeaveOneOut.advantages(worth.unsqueeze(0)).squeeze(0);
            };
        }

        private Tensor weights(DpgInference.Dpg dpg, Draws draws) {
            Tensor logTarget = draws.of(aim.logScore());
            Tensor weights = dpg.baseline()
                    ? Dpg.advantages(logTarget, draws.logProbs(), now(draws), normaliser)
                    : Dpg.weights(logTarget, draws.logProbs());
            return dpg.divideByZ() ? weights.div(normaliser) : weights;
        }

        /// The policy's log-probabilities of a proposal's samples, without gradient.
        private Tensor now(Draws draws) {
            try (var _ = Gradients.off()) {
                return language.logProbs(policy, method.reads(), draws.tokens()).to(Device.CPU);
            }
        }

        /// Estimates Z and how near proposal and policy are; lets the policy take the proposal's place.
        private Map<String, Double> adapt(DpgInference.Proposal rule, Rng rng) {
            Draws draws = language.draw(proposal, method.reads(), rule.samples(), rng);
            var estimate = TargetEstimates.of(draws.of(aim.logScore()), draws.logProbs(), now(draws));
            double z = estimate.normaliser().item();
            normaliser = estimates == 0 ? z : (normaliser * estimates + z) / (estimates + 1);
            estimates++;
            if (!(normaliser > 0)) {
                String message = "none of " + rule.samples() + " samples has any mass under the target of `"
                        + method.name() + "`: its Z cannot be estimated; take more samples or an easier target";
                run.fail(message);
                throw new RunFailedException(message);
            }
            if (!(z > 0)) {
                return Map.of();
            }
            boolean kld = rule.criterion() != Criterion.TVD;
            double there = (kld ? estimate.klProposal() : estimate.tvdProposal()).item();
            double here = (kld ? estimate.klPolicy() : estimate.tvdPolicy()).item();
            nearest = Math.min(nearest, there);
            boolean nearer = here < there && (!rule.best() || here < nearest);
            if (rule.criterion() == Criterion.INTERVAL || nearer) {
                nearest = Math.min(nearest, here);
                try (var _ = Gradients.off()) {
                    InPlace.copy_(
                            proposal.parameters().flat(), policy.parameters().flat());
                }
            }
            String name = kld ? "kl" : "tvd";
            return Map.of("estimated_" + name + "/proposal", there, "estimated_" + name + "/policy", here);
        }
    }
}
