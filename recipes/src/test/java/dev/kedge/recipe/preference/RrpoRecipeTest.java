package dev.kedge.recipe.preference;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.data.DataException;
import dev.kedge.data.Dataset;
import dev.kedge.data.DifferingSpans;
import dev.kedge.data.PreferenceBatch;
import dev.kedge.data.ReadOptions;
import dev.kedge.data.TokenBatch;
import dev.kedge.data.Tokenisation;
import dev.kedge.data.TokenizedPair;
import dev.kedge.data.Truncation;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.objective.Loss;
import dev.kedge.objective.preference.Rrpo;
import dev.kedge.recipe.RecordedRun;
import dev.kedge.recipe.TinyTask;
import dev.kedge.run.EpochBatches;
import dev.kedge.run.TrainingConfig;
import dev.kedge.sequence.Models;
import dev.kedge.sequence.Policy;
import dev.kedge.sequence.PretrainedModel;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Linalg;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Streams;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RrpoRecipeTest {
    private static final int IGNORED = -100;

    @TempDir
    Path folder;

    private Path model;
    private Path data;

    @BeforeEach
    void files() throws Exception {
        model = TinyTask.model(folder.resolve("start"), 1);
        data = TinyTask.phrases(folder.resolve("data.jsonl"), 120, 2);
    }

    @Test
    void learnsWhichPhrasesArePreferred() throws Exception {
        RecordedRun run = run(0.05, TinyTask.optimisation(40, 8, 5e-3, 20));
        run.assertComplete("rrpo");
        ObjectNode first = run.metrics("rrpo").getFirst();
        assertEquals(Math.log(2), first.get("loss").asDouble(), 1e-6, "the reference prefers nothing");
        assertEquals(0, first.get("kl/chosen").asDouble(), 1e-6);
        var accuracy = run.fact("held_out_preference_accuracy");
        assertTrue(accuracy.get("low").asDouble() > 0.5, accuracy.toString());
        assertTrue(run.fact("reward_margin").get("low").asDouble() > 0);
        assertEquals(2, run.summary().get("samples").size());
    }

    @Test
    void anAdapterLearnsToo() throws Exception {
        RrpoRecipe.Config c = TinyTask.rrpo(model, data, 0.05, TinyTask.optimisation(40, 8, 1e-2, 20));
        var config = new RrpoRecipe.Config(
                c.model(),
                c.data(),
                c.beta(),
                c.alpha(),
                Optional.of(new Policy.Adapter(4, 8)),
                c.maxLength(),
                c.truncation(),
                c.heldOut(),
                c.sft(),
                c.training(),
                c.evaluation(),
                c.device(),
                c.threads(),
                c.seed());
        RecordedRun run = new RecordedRun(TinyTask.run("rrpo", config, folder.resolve("run")));
        assertTrue(Files.exists(run.folder().resolve("adapter/adapter_model.safetensors")));
        assertEquals(0, run.metrics("rrpo").getFirst().get("kl/chosen").asDouble(), 1e-6);
        assertTrue(run.fact("reward_margin").get("low").asDouble() > 0);
        assertTrue(run.fact("held_out_preference_accuracy").get("low").asDouble() > 0.5);
    }

    /// The more the KL weighs, the nearer the policy stays.
    @Test
    void theKlHoldsThePolicy() throws Exception {
        TrainingConfig o = TinyTask.optimisation(25, 8, 5e-3, 25);
        double free = run(0, o).metrics("rrpo").getLast().get("kl/chosen").asDouble();
        double held = run(1, o).metrics("rrpo").getLast().get("kl/chosen").asDouble();
        assertTrue(held < free / 3, held + " against " + free);
    }

    @Test
    void partsOfABatchAddUpToTheWhole() throws Exception {
        RecordedRun whole = run(0.05, TinyTask.optimisation(8, 8, 3e-3, 8));
        RecordedRun parts = run(0.05, TinyTask.optimisation(8, 3, 3e-3, 8));
        RecordedRun.assertClose(whole, parts, "rrpo", 1e-5);
    }

    /// The second step again, from the first one's checkpoint: all logits at once, one walk back through the graph.
    @Test
    void aStepIsTheObjectiveOfAllLogits() throws Exception {
        TrainingConfig o = TinyTask.optimisation(2, 8, 5e-2, 1);
        RecordedRun run = run(0.05, o);
        List<TokenizedPair> pairs = pairs();
        int[] batch = new EpochBatches(
                        o.batches(),
                        pairs.stream().mapToInt(TokenizedPair::length).toArray(),
                        8,
                        Streams.of(5, "order"))
                .at(1);
        try (Scope _ = new Scope();
                Decoder policy = Models.load(run.folder().resolve("reference"), Device.CPU);
                Decoder reference = Models.load(run.folder().resolve("reference"), Device.CPU)) {
            Map<String, Tensor> saved = Safetensors.read(run.folder().resolve("checkpoints/step-1/model.safetensors"));
            policy.parameters().named().forEach((name, tensor) -> InPlace.copy_(tensor, saved.get(name)));
            policy.parameters().trainable();
            List<TokenizedPair> chosen =
                    Arrays.stream(batch).mapToObj(pairs::get).toList();
            TokenBatch tokens = PreferenceBatch.of(chosen, 0, 1).sequences();
            Rrpo.Tokens terms = Rrpo.Tokens.ofLogits(
                    logits(policy, tokens),
                    logits(reference, tokens),
                    tokens.tokens()
                            .whereElse(
                                    tokens.target(), tokens.tokens().zerosLike().plus(IGNORED)),
                    IGNORED);
            Loss loss =
                    Rrpo.rrpo(terms, phrases(chosen, tokens.width()).narrow(1, 1, tokens.width() - 1L), 0.5, 0.05, 8);
            loss.value().backward();
            ObjectNode step = run.metrics("rrpo").get(1);
            assertTrue(step.get("kl/chosen").asDouble() > 0.01, "the first step moved the policy: " + step);
            assertEquals(loss.value().item(), step.get("loss").asDouble(), 1e-5);
            for (String name : List.of("kl/chosen", "reward/chosen", "reward/rejected")) {
                assertEquals(loss.metric(name).mean().item(), step.get(name).asDouble(), 1e-5, name);
            }
            double norm = Linalg.norm(policy.parameters().gradient()).item();
            assertEquals(norm, step.get("grad_norm").asDouble(), 1e-4 * norm);
        }
    }

    private List<TokenizedPair> pairs() {
        List<TokenizedPair> all = new Tokenisation(TinyTask.TOKENIZER, Optional.empty(), 24, Truncation.DROP)
                .pairs(Dataset.read(data, ReadOptions.strict()).examples(), ReadOptions.Wrong.FAIL)
                .items();
        return all.subList(0, all.size() - 40);
    }

    private static Tensor logits(Decoder model, TokenBatch tokens) {
        return model.logits(model.hidden(tokens.tokens()))
                .view(tokens.rows(), tokens.width(), model.config().vocabularySize());
    }

    /// The numbers of phrases, [2B, T], a column for each token.
    private static Tensor phrases(List<TokenizedPair> pairs, int width) {
        long[] numbers = new long[2 * pairs.size() * width];
        for (int i = 0; i < pairs.size(); i++) {
            DifferingSpans spans = DifferingSpans.between(pairs.get(i));
            place(spans.chosen(), pairs.get(i).promptLength(), numbers, i * width);
            place(spans.rejected(), pairs.get(i).promptLength(), numbers, (pairs.size() + i) * width);
        }
        return Tensor.of(numbers, 2L * pairs.size(), width);
    }

    private static void place(int[] spans, int promptLength, long[] numbers, int row) {
        for (int t = 0; t < spans.length; t++) {
            numbers[row + promptLength + t] = spans[t];
        }
    }

    @Test
    void pairsWithoutAPhraseAreLeftOut() throws Exception {
        List<String> lines = Files.readAllLines(data);
        for (int i = 0; i < 70; i += 2) {
            lines.set(i, "{\"prompt\": \"abcd \", \"chosen\": \"ab\", \"rejected\": \"aeb\"}");
        }
        Files.write(data, lines);
        RecordedRun run = run(0.05, TinyTask.optimisation(2, 8, 1e-3, 2));
        assertEquals(80 - 35, run.fact("pairs_to_learn_from").get("value").asInt());
        String log = Files.readString(run.folder().resolve("log.txt"));
        assertTrue(log.contains("45 pairs to learn from; without a phrase and left out: 35"), log);
    }

    @Test
    void whereNoPairHasAPhraseThereIsNothingToLearn() throws Exception {
        String insertion = "{\"prompt\": \"abc \", \"chosen\": \"ab\", \"rejected\": \"aeb\"}";
        Path insertions = Files.write(
                folder.resolve("insertions.jsonl"),
                java.util.Collections.nCopies(
                        20,
                        insertion + "\n" + insertion.replace("abc ", "a ") + "\n" + insertion.replace("abc ", "b ")));
        var config = TinyTask.rrpo(model, insertions, 0.05, TinyTask.optimisation(2, 2, 1e-3, 2));
        var e = assertThrows(DataException.class, () -> TinyTask.run("rrpo", config, folder.resolve("run")));
        assertEquals(
                insertions + ": none of the 20 pairs to learn from has a phrase: the replies differ by insertions or "
                        + "deletions alone, which RRPO does not see",
                e.getMessage());
    }

    @Test
    void anImpossibleStrengthIsRefused() {
        var e = assertThrows(
                IllegalArgumentException.class,
                () -> TinyTask.rrpo(model, data, -1, TinyTask.optimisation(2, 2, 1e-3, 2)));
        assertEquals("beta > 0 and alpha >= 0 expected, both finite, were 0.5 and -1.0", e.getMessage());
    }

    @Test
    void aBrokenModelEndsTheRunAtOnce() throws Exception {
        try (PretrainedModel start = PretrainedModel.open(model, Device.CPU)) {
            InPlace.fill_(start.decoder().parameters().get("layers.0.mlp.down.weight"), Double.POSITIVE_INFINITY);
            start.save(start.decoder(), folder.resolve("broken"));
        }
        var config = TinyTask.rrpo(folder.resolve("broken"), data, 0.05, TinyTask.optimisation(9, 8, 1e-3, 1));
        var e = assertThrows(InvalidFileException.class, () -> TinyTask.run("rrpo", config, folder.resolve("run")));
        assertTrue(e.getMessage().contains("weights are NaN or infinite"), e.getMessage());
    }

    private RecordedRun run(double alpha, TrainingConfig o) throws Exception {
        return new RecordedRun(TinyTask.run(
                "rrpo",
                TinyTask.rrpo(model, data, alpha, o),
                Files.createTempDirectory(folder, "run").resolve("run")));
    }
}
