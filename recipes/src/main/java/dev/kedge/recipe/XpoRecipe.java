package dev.kedge.recipe;

import dev.kedge.data.Batches;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenized;
import dev.kedge.data.task.Problem;
import dev.kedge.env.BradleyTerryOracle;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.Duel;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import dev.kedge.nn.optim.AdamW;
import dev.kedge.nn.optim.Schedule;
import dev.kedge.objective.Loss;
import dev.kedge.objective.logprob.HeadLogProbs;
import dev.kedge.objective.preference.PreferenceLogProbs;
import dev.kedge.objective.preference.Xpo;
import dev.kedge.recipe.run.Checkpoint;
import dev.kedge.recipe.run.Progress;
import dev.kedge.recipe.run.Run;
import dev.kedge.recipe.run.Summary;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Engine;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/// Exploratory Preference Optimization (arXiv:2405.21046) online, on answers of the policy and of its reference.
///
/// A tiny decoder learnt sums from a text that is mostly wrong ([Sums]), so that it rarely says the right answer. At
/// every step policy and reference each answer a batch of training sums; a Bradley-Terry judge who knows the sums
/// prefers one of the two; the policy learns from the preference and is paid for leaving the reference's answer. The
/// sweep is over the bonus: alpha 0 is online DPO. Reward and divergence on sums never trained on are exact.
///
/// Kept: fresh answers of both models at every step, one gradient step on them, drawn labels. Left out: solving again
/// over all data of the past (the theory's form), a schedule of alpha, a penalty for answers that do not end.
///
/// Command: `./kedge run recipes/xpo.yaml`. Numbers: docs/papers/xpo.md.
public final class XpoRecipe {
    private XpoRecipe() {}

    /// @param sums      the world: task, decoder, pre-training
    /// @param prompts   training sums that answers are drawn for
    /// @param advantage by how much the judge's reward of a right answer exceeds a wrong one's, nats, > 0: with 4
    // the
    ///                  right one wins 98 of 100 times
    /// @param beta      strength of the KL regulariser, > 0
    /// @param alphas    weights of the bonus, each >= 0; the first one's policy is shown and kept
    /// @param xpo       how each policy is moved; its examples are pairs
    /// @param device    cpu, cuda or cuda:N
    /// @param threads   of the engine: a model this small loses more to waking a second one than it gains
    /// @param seed      of everything drawn
    public record Config(
            Sums.Config sums,
            int prompts,
            double advantage,
            double beta,
            List<Double> alphas,
            Optimisation xpo,
            String device,
            int threads,
            long seed) {
        public Config {
            if (alphas.isEmpty() || alphas.stream().anyMatch(a -> !(a >= 0 && a < Double.POSITIVE_INFINITY))) {
                throw new IllegalArgumentException("alphas must be finite numbers >= 0, at least one, were " + alphas);
            }
            if (prompts < 1 || !(advantage > 0) || !(beta > 0)) {
                throw new IllegalArgumentException("prompts >= 1, advantage > 0 and beta > 0 expected, were " + prompts
                        + ", " + advantage + " and " + beta);
            }
        }
    }

    public static void run(Config config, Run run) {
        Engine.useThreads(config.threads());
        Device device = new Device(config.device());
        try (Sums sums = new Sums(config.sums(), run, device, config.seed())) {
            List<Summary.Point> points = new ArrayList<>();
            for (double alpha : config.alphas()) {
                try (Decoder policy = policy(config, sums, alpha, device, run)) {
                    List<AnswerTree.Exact> result = sums.exact(policy);
                    points.add(Sums.point(result, alpha == 0 ? "online DPO" : "α " + alpha));
                    run.note(String.format(
                            "alpha %s: right on %.1f %%, KL %.3f nats (exact)",
                            alpha, 100 * Sums.reward(result), Sums.kl(result)));
                }
            }
            double shown = config.alphas().getFirst();
            try (Decoder policy = policy(config, sums, shown, device, run)) {
                Models.save(policy, sums.tokenizer(), run.folder().resolve("model"));
                run.summarise(summary(config, sums, policy, shown, points, run));
            }
        }
    }

    /// The policy of one bonus: trained here, or read where the run has made it already.
    private static Decoder policy(Config config, Sums sums, double alpha, Device device, Run run) {
        Path folder = run.folder().resolve("policies").resolve("alpha-" + alpha);
        if (!Models.isComplete(folder)) {
            try (Decoder policy = sums.reference().copy()) {
                train(config, sums, alpha, policy, run);
                Models.save(policy, sums.tokenizer(), folder);
            }
        }
        return Models.load(folder, device);
    }

    /// The loop. Goes on from the run's checkpoint where that is of this phase.
    private static void train(Config config, Sums sums, double alpha, Decoder policy, Run run) {
        String phase = ("alpha-" + alpha).replace('.', '_');
        Optimisation o = config.xpo();
        List<int[]> prompts = sums.training(config.prompts(), new SplittableRandom(config.seed() + 1)).stream()
                .map(sums::prompt)
                .toList();
        int[] lengths = prompts.stream().mapToInt(p -> p.length).toArray();
        Schedule schedule = o.schedules();
        try (AdamW optimizer = new AdamW(policy.parameters(), o.adamW())) {
            int first = 0;
            var saved = run.latest().filter(c -> c.phase().equals(phase));
            if (saved.isPresent()) {
                saved.get().restore("model", policy.parameters().named());
                saved.get().restore("optimizer", optimizer.state());
                first = (int) saved.get().step();
            }
            EpochBatches batches = new EpochBatches(o.batches(), lengths, o.batchSize(), config.seed());
            try (Progress progress = run.progress(phase, first, o.steps())) {
                for (int step = first; step < o.steps(); step++) {
                    long start = System.nanoTime();
                    Rollout rollout = Rollout.draw(config, sums, policy, prompts, batches.at(step), step);
                    Map<String, Double> metrics = gradient(config, sums, alpha, policy, rollout);
                    metrics.put("grad_norm", policy.parameters().clipGradient(o.clipNorm()));
                    run.guard(phase, step + 1L, metrics);
                    SamplerAgreement.require(metrics.get("sampler/difference"));
                    optimizer.step(schedule.at(step));
                    metrics.put("lr", schedule.at(step));
                    metrics.put("tokens_per_s", rollout.tokens() / ((System.nanoTime() - start) / 1e9));
                    run.log(phase, step + 1L, metrics);
                    progress.step(step + 1L, metrics.get("loss"), rollout.tokens());
                    if ((step + 1) % o.checkpointEvery() == 0 || step + 1 == o.steps()) {
                        run.save(Checkpoint.at(phase, step + 1L)
                                .tensors("model", policy.parameters().named())
                                .tensors("optimizer", optimizer.state()));
                    }
                }
            }
        }
    }

    /// Who knows the sums: the reward is `advantage` times the share of right digits, 0 for an answer without end.
    private static PreferenceOracle judge(Config config, Sums sums) {
        int end = sums.tokenizer().eos().orElseThrow();
        return new BradleyTerryOracle((prompt, answer) -> {
            Problem problem = new Problem(sums.tokenizer().decode(prompt));
            boolean ended = answer[answer.length - 1] == end;
            boolean right =
                    ended && sums.task().reward(problem, sums.tokenizer().decode(answer)) == 1;
            return right ? config.advantage() : 0;
        });
    }

    /// A step's answers: one of the policy and one of the reference to each prompt, and which of them the judge chose.
    private record Rollout(
            List<int[]> prompts, List<Completion> policy, List<Completion> reference, boolean[] policyIsChosen) {
        /// A function of policy, seed and step.
        static Rollout draw(Config config, Sums sums, Decoder policy, List<int[]> all, int[] batch, int step) {
            SplittableRandom random = new SplittableRandom(new SplittableRandom(config.seed()).nextLong() + step);
            List<int[]> prompts = Arrays.stream(batch).mapToObj(all::get).toList();
            List<Completion> own = Generator.generate(policy, prompts, sums.sampling(1, random.nextLong(), true), null);
            List<Completion> usual =
                    Generator.generate(sums.reference(), prompts, sums.sampling(1, random.nextLong(), false), null);
            List<Duel> duels = IntStream.range(0, prompts.size())
                    .mapToObj(i -> new Duel(
                            prompts.get(i), own.get(i).tokens(), usual.get(i).tokens()))
                    .toList();
            double[] wins = judge(config, sums).firstWins(duels);
            boolean[] chosen = new boolean[wins.length];
            for (int i = 0; i < wins.length; i++) {
                chosen[i] = random.nextDouble() < wins[i]; // a drawn label, as from a person
            }
            return new Rollout(prompts, own, usual, chosen);
        }

        int pairs() {
            return prompts.size();
        }

        long tokens() {
            return Stream.of(policy, reference)
                    .flatMap(List::stream)
                    .mapToLong(c -> c.tokens().length)
                    .sum();
        }

        Rollout part(int from, int to) {
            return new Rollout(
                    prompts.subList(from, to),
                    policy.subList(from, to),
                    reference.subList(from, to),
                    Arrays.copyOfRange(policyIsChosen, from, to));
        }

        /// The policy's answers, then the reference's: [2B].
        TokenBatch rows(int padId) {
            return TokenBatch.of(
                    Stream.of(policy, reference)
                            .flatMap(answers -> IntStream.range(0, pairs())
                                    .mapToObj(i -> Tokenized.ofReply(
                                            prompts.get(i), answers.get(i).tokens())))
                            .toList(),
                    padId,
                    1);
        }
    }

    /// Adds the gradient of a step's loss, micro-batch by micro-batch. Metrics are means over its pairs.
    private static Map<String, Double> gradient(Config config, Sums sums, double alpha, Decoder policy, Rollout step) {
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("loss", 0.0);
        for (int[] pairs : Batches.inOrder(step.pairs(), config.xpo().microBatch())) {
            Rollout part = step.part(pairs[0], pairs[0] + pairs.length);
            int b = part.pairs();
            try (Scope _ = new Scope()) {
                TokenBatch rows = part.rows(Models.padId(sums.tokenizer())).to(policy.device());
                HeadLogProbs logProbs = SequenceScores.sums(policy, rows, 1);
                Tensor now = SequenceScores.rowSums(logProbs.values(), rows);
                Tensor ref = reference(sums.reference(), rows);
                Tensor policyIsChosen = Tensor.mask(part.policyIsChosen(), b).to(policy.device());
                PreferenceLogProbs lp = PreferenceLogProbs.judged(
                        now.narrow(0, 0, b),
                        now.narrow(0, b, b),
                        ref.narrow(0, 0, b),
                        ref.narrow(0, b, b),
                        policyIsChosen);
                Loss loss = Xpo.xpo(lp, policyIsChosen, alpha, config.beta(), step.pairs());
                loss.value().backward();
                logProbs.backward();
                metrics.merge("loss", loss.value().item(), Double::sum);
                loss.metrics().forEach((name, values) -> {
                    String as = name.equals("loss") ? "loss/preference" : name;
                    metrics.merge(as, values.to(DType.FLOAT64).sum().item() / step.pairs(), Double::sum);
                });
                double[] computed = now.detach()
                        .narrow(0, 0, b)
                        .to(DType.FLOAT64)
                        .to(Device.CPU)
                        .toDoubles();
                metrics.merge("sampler/difference", SamplerAgreement.difference(part.policy(), computed), Math::max);
            }
        }
        long chosen = IntStream.range(0, step.pairs())
                .filter(i -> step.policyIsChosen()[i])
                .count();
        metrics.put("policy/chosen", chosen / (double) step.pairs());
        return metrics;
    }

    /// The reference's log-probs of the answers, summed over tokens.
    private static Tensor reference(Decoder reference, TokenBatch rows) {
        try (var _ = Gradients.off()) {
            return SequenceScores.rowSums(
                    SequenceScores.sums(reference, rows, 1).values(), rows);
        }
    }

    private static Summary summary(
            Config config, Sums sums, Decoder policy, double alpha, List<Summary.Point> points, Run run) {
        List<AnswerTree.Exact> after = sums.exact(policy);
        long labels = (long) config.xpo().steps() * config.xpo().batchSize();
        Summary summary = Summary.of("xpo", Summary.Status.FINISHED, run.seconds())
                .title("A policy looks beyond what its reference says")
                .verdict(String.format(
                        "Drawn answers to sums never trained on were right with probability %.1f %% before and %.1f %%"
                                + " after XPO at alpha %s, %.2f nats from the reference.",
                        100 * Sums.reward(sums.before()), 100 * Sums.reward(after), alpha, Sums.kl(after)))
                .frontier(sums.frontier(sums.arm("XPO", points)))
                .fact("labelled pairs", Summary.Estimate.of(labels), "", "for each alpha, drawn while it learns");
        return sums.judged(summary, policy);
    }
}
