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
import dev.kedge.recipe.policy.Question;
import dev.kedge.recipe.policy.RlvrRecipe;
import dev.kedge.recipe.policy.Rollouts;
import dev.kedge.recipe.policy.Sampler;
import dev.kedge.recipe.policy.Truncated;
import dev.kedge.run.Run;
import dev.kedge.run.SubnetworkMask;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.PreferenceLoss;
import dev.kedge.sequence.PreferenceTraining;
import dev.kedge.sequence.SequenceScores;
import dev.kedge.sequence.SupervisedTraining;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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
    }

    /// @param environment questions, verifier, and the policy to start from
    /// @param algorithms to compare, GRPO among them
    /// @param rates      learning rates of the comparison, that of `subnetwork` among them
    /// @param group      answers to a question, of GRPO's draws and of those that DPO's pairs are made of, >= 2
    /// @param klBeta     strength of the KL of GRPO with KL, > 0
    /// @param dpoBeta    DPO's, > 0
    /// @param tolerance  a change by no more counts as none, >= 0; customarily 1e-5
    /// @param dtype      in which masks are made: bfloat16 or float32
    /// @param training   how each policy is moved; its examples are questions, or pairs
    /// @param samples    answers to a held-out question to judge by, >= 1
    /// @param device     cpu, cuda or cuda:N
    /// @param threads    of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed       of everything drawn
    public record Config(
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
        public Config {
            if (!algorithms.contains(Algorithm.GRPO)
                    || algorithms.stream().distinct().count() < algorithms.size()) {
                throw new IllegalArgumentException("algorithms must be different, grpo among them, were " + algorithms);
            }
            if (!rates.contains(training.learningRate())
                    || rates.stream().distinct().count() < rates.size()) {
                throw new IllegalArgumentException("rates must be different, the learning_rate "
                        + training.learningRate() + " among them, were " + rates);
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
    }

    /// A policy that was trained.
    ///
    /// @param phase  its name in metrics
    /// @param folder of its float32 weights
    record Arm(String title, String phase, double rate, Path folder) {}

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Environment.Opened opened = config.environment().open(run, device, config.seed());
                Decoder start = opened.start().copy()) {
            round(start);
            Path before = run.folder().resolve("start");
            Models.save(start, opened.tokenizer(), before);
            var world = new Environment.Opened(
                    opened.tokenizer(),
                    start,
                    opened.training(),
                    opened.heldOut(),
                    opened.scorer(),
                    opened.maxTokens()); // closed with what it was made of
            var trainer = new Trainer(config, world, run);
            List<Arm> sweep = new ArrayList<>();
            for (Algorithm algorithm : config.algorithms()) {
                for (double rate : config.rates()) {
                    sweep.add(trainer.train(algorithm, rate));
                }
            }
            Arm full = sweep.stream()
                    .filter(a -> a.phase()
                            .equals(phase(Algorithm.GRPO, config.training().learningRate())))
                    .findFirst()
                    .orElseThrow();
            try (Decoder policy = Models.load(full.folder(), device)) {
                Models.save(policy, world.tokenizer(), run.folder().resolve("model"));
            }
            List<Arm> again = repeated(config, before, full, trainer, run);
            run.summarise(new SubnetworkSummary(config, world, before, sweep, full, again, run).summary());
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
    private static List<Arm> repeated(Config config, Path before, Arm full, Trainer trainer, Run run) {
        var subnetwork = new SubnetworkMask.Changed(before, full.folder(), config.tolerance(), config.dtype());
        Path random = run.folder().resolve("masks").resolve("random.safetensors");
        Path smallest = run.folder().resolve("masks").resolve("smallest.safetensors");
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(config.seed())) {
            Map<String, Tensor> weights =
                    ModelFolder.load(before, DType.FLOAT32, Device.CPU).parameters();
            long size = flat(subnetwork.read()).sum().toLongs()[0];
            Tensor all = flat(weights);
            SubnetworkMask.File.write(random, SubnetworkGradients.smallest(rng.uniform(all.numel()), size), weights);
            SubnetworkMask.File.write(smallest, SubnetworkGradients.smallest(all, size), weights);
        }
        return List.of(
                trainer.alone("subnetwork alone", subnetwork),
                trainer.alone("random mask", new SubnetworkMask.File(random)),
                trainer.alone("smallest weights", new SubnetworkMask.File(smallest)),
                trainer.otherSeed());
    }

    static Tensor flat(Map<String, Tensor> tensors) {
        return Tensor.cat(tensors.values().stream().map(t -> t.reshape(-1)).toList(), 0);
    }

    /// What an algorithm's policy at a rate is called in metrics, such as `grpo-1e-5`.
    public static String phase(Algorithm algorithm, double rate) {
        String name = algorithm.name().toLowerCase(Locale.ROOT).replace('_', '-');
        return name + "-" + written(rate).replace('.', '_');
    }

    /// A rate as people write it, such as 1e-5.
    static String written(double rate) {
        return ("" + rate).toLowerCase(Locale.ROOT).replace(".0e", "e");
    }

    /// Trains policies, each once: what a run has made already is read.
    private record Trainer(Config config, Environment.Opened world, Run run) {
        Arm train(Algorithm algorithm, double rate) {
            String phase = phase(algorithm, rate);
            TrainingConfig o = config.training().at(rate);
            switch (algorithm) {
                case SFT -> supervised(phase, o);
                case GRPO -> reinforced(phase, 0, o, config.seed());
                case GRPO_KL -> reinforced(phase, config.klBeta(), o, config.seed());
                case GRPO_UNCLIPPED -> reinforced(phase, 0, o.clipped(Double.POSITIVE_INFINITY), config.seed());
                case DPO -> preferred(phase, o);
            }
            return new Arm(algorithm.title(), phase, rate, folder(phase));
        }

        Arm alone(String title, SubnetworkMask mask) {
            String phase = title.replace(' ', '-');
            TrainingConfig o = config.training().masked(Optional.of(mask));
            reinforced(phase, 0, o, config.seed());
            return new Arm(title, phase, o.learningRate(), folder(phase));
        }

        Arm otherSeed() {
            reinforced("other-seed", 0, config.training(), config.seed() + 1);
            return new Arm("other seed", "other-seed", config.training().learningRate(), folder("other-seed"));
        }

        private Path folder(String phase) {
            return RlvrRecipe.snapshot(run, phase, config.training().steps());
        }

        private void reinforced(String phase, double beta, TrainingConfig o, long seed) {
            if (!Models.isComplete(folder(phase))) {
                var method = new GrpoMethod(0.2, beta); // on policy nothing is clipped
                var rlvr = new RlvrRecipe.Config(
                        config.environment(),
                        List.of(method),
                        config.group(),
                        1,
                        Truncated.JUDGED,
                        o,
                        1,
                        1,
                        o.steps(),
                        config.samples(),
                        o.steps(),
                        config.device(),
                        config.threads(),
                        seed);
                try (Decoder policy = world.start().copy();
                        Learner learner = method.learner(world.start())) {
                    RlvrRecipe.train(rlvr, world, 0, phase, learner, policy, run);
                }
            }
        }

        private void supervised(String phase, TrainingConfig o) {
            if (!Models.isComplete(folder(phase))) {
                List<Tokenized> gold =
                        world.training().stream().map(this::answered).toList();
                try (Decoder policy = world.start().copy()) {
                    SupervisedTraining.train(run, phase, policy, gold, padId(), o, config.seed());
                    Models.save(policy, world.tokenizer(), folder(phase));
                }
            }
        }

        private Tokenized answered(Question question) {
            int[] answer = world.tokenizer().encodeOrdinary(question.answer());
            int[] ended = Arrays.copyOf(answer, answer.length + 1);
            ended[answer.length] = world.tokenizer().eos().orElseThrow();
            return Tokenized.ofReply(question.prompt(), ended);
        }

        private void preferred(String phase, TrainingConfig o) {
            if (!Models.isComplete(folder(phase))) {
                List<TokenizedPair> pairs = pairs();
                double[][] reference = SequenceScores.ofPairs(world.start(), pairs, padId());
                var objective = new PreferenceLoss.Sigmoid(config.dpoBeta());
                try (Decoder policy = world.start().copy()) {
                    PreferenceTraining.train(
                            run,
                            phase,
                            policy,
                            policy.parameters(),
                            pairs,
                            reference,
                            padId(),
                            objective,
                            o,
                            config.seed());
                    Models.save(policy, world.tokenizer(), folder(phase));
                }
            }
        }

        /// Of the start's answers to each question the better ones, each with a worse one.
        private List<TokenizedPair> pairs() {
            var sampler = new Sampler(
                    world.tokenizer(), world.scorer(), config.group(), world.maxTokens(), 1, Truncated.JUDGED);
            Rollouts draw = sampler.sample(world.start(), world.training(), config.seed() + 4);
            List<TokenizedPair> pairs = new ArrayList<>();
            for (int q = 0; q < draw.questions().size(); q++) {
                int first = q * draw.group();
                List<Integer> byReward = IntStream.range(first, first + draw.group())
                        .boxed()
                        .sorted((a, b) -> Double.compare(reward(draw, b), reward(draw, a)))
                        .toList();
                for (int i = 0; 2 * i + 1 < draw.group(); i++) {
                    int better = byReward.get(i);
                    int worse = byReward.get(draw.group() - 1 - i);
                    if (reward(draw, better) > reward(draw, worse)) {
                        int[] prompt = draw.questions().get(q).prompt();
                        pairs.add(new TokenizedPair(
                                Tokenized.ofReply(
                                        prompt, draw.completions().get(better).tokens()),
                                Tokenized.ofReply(
                                        prompt, draw.completions().get(worse).tokens()),
                                prompt.length));
                    }
                }
            }
            if (pairs.isEmpty()) {
                throw new ConfigException(
                        "the start's answers are all right or all wrong, so that there are no pairs for"
                                + " DPO; more pre-training, or algorithms without dpo, would be right");
            }
            return pairs;
        }

        private static double reward(Rollouts draw, int answer) {
            return draw.scores().get(answer).reward();
        }

        private int padId() {
            return Models.padId(world.tokenizer());
        }
    }
}
