package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.LabelledSequence;
import dev.kedge.data.Split;
import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.objective.Loss;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.Run;
import dev.kedge.run.RunFailedException;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.run.result.Summary;
import dev.kedge.statistics.Estimate;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// With the plainest of losses: desirable completions above the baseline, the others below it.
class UnpairedTrainingTest {
    private static final UnpairedTraining.PartLoss LOGISTIC = (lp, baseline, inStep) -> {
        Tensor reward = lp.rewards(1).minus(baseline);
        Tensor losses = Functional.logSigmoid(reward.whereElse(lp.desirable(), reward.times(-1)))
                .times(-1);
        return Loss.of(losses.sum().div(inStep))
                .with("reward/desirable", reward.whereElse(lp.desirable(), 0))
                .with("reward/undesirable", reward.whereElse(lp.desirable().not(), 0));
    };

    @TempDir
    Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void files() throws Exception {
        model = TinyModel.in(folder.resolve("start"), 1);
        data = TinyModel.labelled(folder.resolve("data.jsonl"), 120, 2);
    }

    public record Noted(String text) {}

    private interface Body {
        void with(Run run, Policy policy, Split<LabelledSequence> split) throws Exception;
    }

    private Path run(String name, Body body) throws Exception {
        Path place = folder.resolve(name);
        try (Run run = Run.start(place, "unpaired", new Noted("nothing"), Terminal.quiet());
                PretrainedModel start = PretrainedModel.open(model, Device.CPU)) {
            Split<LabelledSequence> split =
                    SequenceReader.of(start, 24, Truncation.DROP, 40, run).labelled(data);
            try (Policy policy = Policy.start(start, run, Optional.empty(), List.of(), Optional.empty(), true, 5)) {
                body.with(run, policy, split);
            }
        }
        return place;
    }

    private static UnpairedTraining.Objective logistic(UnpairedTraining.Baseline baseline) {
        return new UnpairedTraining.Objective(baseline, LOGISTIC);
    }

    private List<ObjectNode> trained(String name, TrainingConfig config) throws Exception {
        Path place = run(name, (run, policy, split) -> {
            var training = UnpairedTraining.of(policy, split.train());
            training.train(run, "unpaired", logistic(training::mismatchedKl), config, 5);
        });
        return TinyModel.metrics(place, "unpaired");
    }

    @Test
    void learnsWhatIsDesirable() throws Exception {
        List<Summary> judged = new ArrayList<>();
        Path done = run("run", (run, policy, split) -> {
            var training = UnpairedTraining.of(policy, split.train());
            training.train(run, "unpaired", logistic(training::mismatchedKl), TinyModel.training(30, 8, 5e-3, 15), 5);
            double[] rewards = UnpairedTraining.logRatios(policy, split.heldOut());
            var evaluation = new PolicyEvaluation(new PolicyEvaluation.Config(8, 6, 1.0, 2), 5);
            judged.add(evaluation.ofLabelled(
                    Summary.of("unpaired", Summary.Status.FINISHED, run.seconds()), policy, split.heldOut(), rewards));
        });
        ObjectNode first = TinyModel.metrics(done, "unpaired").getFirst();
        assertEquals(Math.log(2), first.get("loss").asDouble(), 1e-6, "at the reference every reward is 0");
        assertEquals(0, first.get("baseline").asDouble(), 1e-6);
        Summary summary = judged.getFirst();
        assertTrue(fact(summary, "desirable_above_undesirable").low() > 0.9);
        assertTrue(fact(summary, "reward_desirable").low()
                > fact(summary, "reward_undesirable").high());
        assertTrue(fact(summary, "kl_from_the_reference_k3").low() > 0);
        assertEquals(2, summary.samples().size());
    }

    private static Estimate fact(Summary summary, String key) {
        return summary.facts().stream()
                .filter(fact -> fact.key().equals(key))
                .findFirst()
                .orElseThrow()
                .estimate();
    }

    /// The baseline is of the whole step however it is split, and so are the loss and its gradient.
    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        List<ObjectNode> whole = trained("whole", TinyModel.training(8, 8, 3e-3, 8));
        List<ObjectNode> parts = trained("parts", TinyModel.training(8, 3, 3e-3, 8));
        assertEquals(8, whole.size());
        for (int step = 0; step < 8; step++) {
            for (String name : List.of("loss", "baseline", "reward/desirable", "grad_norm", "lr")) {
                double value = whole.get(step).get(name).asDouble();
                double other = parts.get(step).get(name).asDouble();
                assertEquals(value, other, 1e-5 * Math.max(1, Math.abs(value)), name + " at step " + step);
            }
            assertTrue(parts.get(step).get("tokens_per_s").asDouble() > 0);
        }
        assertTrue(Math.abs(whole.getLast().get("baseline").asDouble()) > 1e-3);
    }

    /// Against log-probs of one sequence after the other, from all logits.
    @Test
    void baselinesAreMeansOverTheBatchBeforeItsStep() throws Exception {
        List<Double> kl = new ArrayList<>();
        List<Double> losses = new ArrayList<>();
        Path done = run("run", (run, policy, split) -> {
            List<LabelledSequence> all = split.train();
            var training = UnpairedTraining.of(policy, all);
            int[] lengths = all.stream().mapToInt(LabelledSequence::length).toArray();
            assertTrue(Arrays.stream(lengths).distinct().count() > 3, "all of one length would prove little");
            EpochBatches batches = new EpochBatches(EpochBatches.Order.SHUFFLED, lengths, 8, 5);
            training.train(
                    run,
                    "unpaired",
                    logistic(batch -> {
                        kl.add(mismatched(policy, all, batch));
                        losses.add(loss(policy, all, batch, kl.getLast()));
                        assertEquals(
                                own(policy, all, batch),
                                training.logProbs(batch).rewards(1).mean().item(),
                                1e-5);
                        return training.mismatchedKl(batch);
                    }),
                    TinyModel.training(4, 8, 5e-3, 4),
                    5);
            assertEquals(0, training.mismatchedKl(new int[] {3}), "nothing to mismatch");
            assertEquals(4, kl.size());
            assertNotEquals(own(policy, all, batches.at(3)), mismatched(policy, all, batches.at(3)), 1e-4);
        });
        List<ObjectNode> lines = TinyModel.metrics(done, "unpaired");
        for (int step = 0; step < 4; step++) {
            assertEquals(kl.get(step), lines.get(step).get("baseline").asDouble(), 1e-5);
            assertEquals(losses.get(step), lines.get(step).get("loss").asDouble(), 1e-5);
        }
        assertTrue(Math.abs(kl.getLast()) > 1e-3, kl.toString());
    }

    /// The loss of a batch, one completion after the other.
    private static double loss(Policy policy, List<LabelledSequence> all, int[] batch, double baseline) {
        return Arrays.stream(batch)
                .mapToObj(all::get)
                .mapToDouble(s -> (logRatio(policy, s.sequence()) - baseline) * (s.desirable() ? 1 : -1))
                .map(reward -> Math.log1p(Math.exp(-reward)))
                .average()
                .orElseThrow();
    }

    private static double mismatched(Policy policy, List<LabelledSequence> all, int[] batch) {
        double sum = 0;
        for (int i = 0; i < batch.length; i++) {
            Tokenized asked = all.get(batch[i]).sequence();
            Tokenized answered = all.get(batch[(i + 1) % batch.length]).sequence();
            int[] completion = Arrays.copyOfRange(answered.tokens(), answered.promptLength(), answered.length());
            sum += logRatio(policy, Tokenized.ofReply(asked.prompt(), completion));
        }
        return sum / batch.length;
    }

    private static double own(Policy policy, List<LabelledSequence> all, int[] batch) {
        return Arrays.stream(batch)
                .mapToDouble(i -> logRatio(policy, all.get(i).sequence()))
                .average()
                .orElseThrow();
    }

    private static double logRatio(Policy policy, Tokenized sequence) {
        return TinyModel.logProb(policy.decoder(), sequence, 1) - TinyModel.logProb(policy.reference(), sequence, 1);
    }

    @Test
    void oneLabelAloneCannotBeJudged() throws Exception {
        run("run", (_, policy, split) -> {
            List<LabelledSequence> desirable =
                    split.heldOut().stream().filter(LabelledSequence::desirable).toList();
            var evaluation = new PolicyEvaluation(new PolicyEvaluation.Config(8, 6, 1.0, 2), 5);
            var e = assertThrows(
                    RunFailedException.class,
                    () -> evaluation.ofLabelled(
                            Summary.of("unpaired", Summary.Status.FINISHED, 0),
                            policy,
                            desirable,
                            new double[desirable.size()]));
            assertEquals(
                    "of " + desirable.size() + " held-out completions " + desirable.size()
                            + " are desirable: both labels are needed to judge by, raise held_out",
                    e.getMessage());
        });
    }
}
