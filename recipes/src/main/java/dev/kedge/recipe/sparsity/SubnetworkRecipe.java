package dev.kedge.recipe.sparsity;

import dev.kedge.config.ConfigException;
import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.sparsity.SubnetworkGradients;
import dev.kedge.recipe.policy.Environment;
import dev.kedge.recipe.policy.GrpoMethod;
import dev.kedge.recipe.policy.Learner;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Rollouts;
import dev.kedge.recipe.policy.Sampler;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.recipe.sparsity.SubnetworkConfig.Algorithm;
import dev.kedge.recipe.sparsity.SubnetworkSummary.Arm;
import dev.kedge.run.Run;
import dev.kedge.run.SubnetworkMask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.ScoredPairs;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/// Which weights a training changes, and training of these alone (arXiv:2505.11711), as a composition of other recipes'
/// loops.
///
/// From one start, pre-trained in float32 and rounded to bfloat16, several algorithms learn at several rates, with
/// the same optimiser, batches of as many questions and as many steps: SFT on the right answers, GRPO with and
/// without KL and clipping, DPO on the start's own answers. Of each are measured the reward it gained and the weights
/// it changed, so that sparsity can be compared at equal reward. Then GRPO at the optimiser's own rate is repeated
/// with the weights alone that it changed, with as many random ones, and with as many of the smallest; and whole with
/// another seed.
///
/// Master weights are float32; what is compared is rounded to bfloat16, or as it is. A bfloat16 weight shows a change
/// only above some 2^-9 of its size, so that sparsity speaks of rate, steps and type as much as of the algorithm.
///
/// Command: `./kedge run recipes/rl-subnetworks.yaml`. Numbers: docs/papers/rl-subnetworks.md.
public final class SubnetworkRecipe {
    private SubnetworkRecipe() {}

    public static void run(SubnetworkConfig config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Environment.Opened opened = config.environment().open(run, device, config.seed());
                Decoder start = opened.start().copy()) {
            round(start);
            Path before = run.folder().resolve("start");
            opened.model().save(start, before);
            var environment = new Environment.Opened(
                    opened.model().with(start),
                    opened.training(),
                    opened.heldOut(),
                    opened.scorer(),
                    opened.maxTokens()); // closed with what it was made of
            var trainer = new Trainer(config, environment, run);
            List<Arm> sweep = new ArrayList<>();
            for (Algorithm algorithm : config.algorithms()) {
                for (double rate : config.rates()) {
                    sweep.add(trainer.train(algorithm, rate));
                }
            }
            Arm full = sweep.stream()
                    .filter(a -> a.phase()
                            .equals(Algorithm.GRPO.phase(config.training().learningRate())))
                    .findFirst()
                    .orElseThrow();
            try (Decoder policy = Models.load(full.folder(), device)) {
                environment.model().save(policy, run.folder().resolve("model"));
            }
            List<Arm> again = repeated(config, before, full, trainer, run);
            run.summarise(new SubnetworkSummary(config, environment, before, sweep, full, again, run).summary());
        }
    }

    /// To bfloat16 and back, in place.
    private static void round(Decoder decoder) {
        try (Scope _ = new Scope();
                var _ = Gradients.off()) {
            Tensor flat = decoder.parameters().flat();
            InPlace.copy_(flat, flat.to(DType.BFLOAT16));
        }
    }

    /// GRPO once more from the same start: with the subnetwork alone and its controls, on the same questions in the
    /// same order; and whole, on others.
    private static List<Arm> repeated(SubnetworkConfig config, Path before, Arm full, Trainer trainer, Run run) {
        var subnetwork = new SubnetworkMask.Changed(before, full.folder(), config.tolerance(), config.dtype());
        Path random = run.folder().resolve("masks").resolve("random.safetensors");
        Path smallest = run.folder().resolve("masks").resolve("smallest.safetensors");
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(Streams.of(config.seed(), "random mask"))) {
            Map<String, Tensor> weights =
                    ModelFolder.load(before, DType.FLOAT32, Device.CPU).parameters();
            long size = SubnetworkSummary.flat(subnetwork.read()).sum().toLongs()[0];
            Tensor all = SubnetworkSummary.flat(weights);
            SubnetworkMask.File.write(random, SubnetworkGradients.smallest(rng.uniform(all.numel()), size), weights);
            SubnetworkMask.File.write(smallest, SubnetworkGradients.smallest(all, size), weights);
        }
        return List.of(
                trainer.alone("subnetwork alone", subnetwork),
                trainer.alone("random mask", new SubnetworkMask.File(random)),
                trainer.alone("smallest weights", new SubnetworkMask.File(smallest)),
                trainer.otherSeed());
    }

    /// Trains policies, each once: what a run has made already is read.
    private record Trainer(SubnetworkConfig config, Environment.Opened environment, Run run) {
        Arm train(Algorithm algorithm, double rate) {
            String phase = algorithm.phase(rate);
            TrainingConfig training = config.training().at(rate);
            TrainingConfig unclipped = training.clipped(Double.POSITIVE_INFINITY);
            return arm(algorithm.title(), phase, training, policy -> {
                switch (algorithm) {
                    case SFT -> supervised(phase, policy, training);
                    case GRPO -> reinforced(phase, policy, 0, training, config.seed());
                    case GRPO_KL -> reinforced(phase, policy, config.klBeta(), training, config.seed());
                    case GRPO_UNCLIPPED -> reinforced(phase, policy, 0, unclipped, config.seed());
                    case DPO -> preferred(phase, policy, training);
                }
            });
        }

        Arm alone(String title, SubnetworkMask mask) {
            String phase = title.replace(' ', '-');
            TrainingConfig training = config.training().masked(Optional.of(mask));
            return arm(title, phase, training, policy -> reinforced(phase, policy, 0, training, config.seed()));
        }

        Arm otherSeed() {
            TrainingConfig training = config.training();
            return arm(
                    "other seed",
                    "other-seed",
                    training,
                    policy -> reinforced("other-seed", policy, 0, training, Streams.of(config.seed(), "other seed")));
        }

        private Arm arm(String title, String phase, TrainingConfig training, Consumer<Decoder> learn) {
            Path folder = RlvrRecipe.snapshot(run, phase, training.steps());
            if (!Models.isComplete(folder)) {
                try (Decoder policy = environment.start().copy()) {
                    learn.accept(policy);
                    if (!Models.isComplete(folder)) { // reinforcement learning keeps its own
                        environment.model().save(policy, folder);
                    }
                }
            }
            return new Arm(title, phase, training.learningRate(), folder);
        }

        private void reinforced(String phase, Decoder policy, double beta, TrainingConfig training, long seed) {
            var method = new GrpoMethod(0.2, beta); // on policy nothing is clipped
            var rlvr = new RlvrRecipe.Config(
                    config.environment(),
                    List.of(method),
                    config.group(),
                    1,
                    Truncated.JUDGED,
                    training,
                    1,
                    1,
                    training.steps(),
                    config.samples(),
                    training.steps(),
                    config.device(),
                    config.threads(),
                    seed);
            try (Learner learner = method.learner(environment.start())) {
                RlvrRecipe.train(rlvr, environment, 0, phase, learner, policy, run);
            }
        }

        private void supervised(String phase, Decoder policy, TrainingConfig training) {
            List<Tokenized> gold = environment.training().stream()
                    .map(question -> Tokenized.ofReply(
                            question.prompt(), environment.tokenizer().encodeAnswer(question.answer())))
                    .toList();
            SupervisedTraining.train(run, phase, policy, gold, padId(), training, Streams.of(config.seed(), "order"));
        }

        private void preferred(String phase, Decoder policy, TrainingConfig training) {
            ScoredPairs pairs = ScoredPairs.of(environment.start(), pairs(), padId());
            PreferenceLoss loss = new PreferenceLoss.Sigmoid(config.dpoBeta());
            PreferenceTraining.train(run, phase, policy, pairs, loss, training, Streams.of(config.seed(), "order"));
        }

        /// Of the start's answers to each question the better ones, each with a worse one.
        private List<TokenizedPair> pairs() {
            var sampler = new Sampler(
                    environment.tokenizer(),
                    environment.scorer(),
                    config.group(),
                    environment.maxTokens(),
                    1,
                    Truncated.JUDGED);
            long stream = Streams.of(config.seed(), "answers of pairs");
            Rollouts rollouts = sampler.sample(environment.start(), environment.training(), stream);
            List<TokenizedPair> pairs = new ArrayList<>();
            for (int q = 0; q < rollouts.questions().size(); q++) {
                int first = q * rollouts.group();
                List<Integer> byReward = IntStream.range(first, first + rollouts.group())
                        .filter(i -> rollouts.scores().get(i).hasReward())
                        .boxed()
                        .sorted((a, b) -> Double.compare(reward(rollouts, b), reward(rollouts, a)))
                        .toList();
                for (int i = 0; 2 * i + 1 < byReward.size(); i++) {
                    int better = byReward.get(i);
                    int worse = byReward.get(byReward.size() - 1 - i);
                    if (reward(rollouts, better) > reward(rollouts, worse)) {
                        int[] prompt = rollouts.questions().get(q).prompt();
                        pairs.add(new TokenizedPair(
                                Tokenized.ofReply(
                                        prompt,
                                        rollouts.completions().get(better).tokens()),
                                Tokenized.ofReply(
                                        prompt,
                                        rollouts.completions().get(worse).tokens()),
                                prompt.length));
                    }
                }
            }
            if (pairs.isEmpty()) {
                throw new ConfigException(rollouts.failure()
                        .orElse("the start's answers are all right or all wrong, so that there are no pairs for"
                                + " DPO; more pre-training, or algorithms without dpo, would be right"));
            }
            return pairs;
        }

        private static double reward(Rollouts rollouts, int answer) {
            return rollouts.scores().get(answer).reward();
        }

        private int padId() {
            return Models.padId(environment.tokenizer());
        }
    }
}
