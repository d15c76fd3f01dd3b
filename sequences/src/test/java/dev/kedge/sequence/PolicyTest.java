package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.data.Tokenized;
import dev.kedge.data.Truncation;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.run.TrainingConfig;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PolicyTest {
    private static final List<Tokenized> DEMONSTRATIONS = List.of(
            Tokenized.ofReply(TinyModel.TOKENIZER.encode("ab "), TinyModel.TOKENIZER.encodeOrdinary("abcd")),
            Tokenized.ofReply(TinyModel.TOKENIZER.encode("h "), TinyModel.TOKENIZER.encodeOrdinary("dc")));

    @TempDir
    Path folder;

    private Path model;

    @BeforeEach
    void start() {
        model = TinyModel.in(folder.resolve("start"), 1);
    }

    public record Noted(String text) {}

    private interface Body {
        void with(Run run, Policy policy) throws Exception;
    }

    private void policy(
            String name,
            Optional<TrainingConfig> sft,
            Optional<Policy.Adapter> adapter,
            boolean needsReference,
            Body body)
            throws Exception {
        try (Run run = Run.start(folder.resolve(name), "policy", new Noted("nothing"), Terminal.quiet());
                PretrainedModel start = PretrainedModel.open(model, Device.CPU);
                Policy policy = Policy.start(start, run, sft, DEMONSTRATIONS, adapter, needsReference, 5)) {
            body.with(run, policy);
        }
    }

    private static float[] weights(Decoder decoder) {
        return decoder.parameters().flat().toFloats();
    }

    private static void move(Policy policy) {
        InPlace.fill_(policy.decoder().parameters().flat(), 0.25);
    }

    private float[] start(Path of) {
        try (Decoder decoder = Models.load(of, Device.CPU)) {
            return weights(decoder);
        }
    }

    @Test
    void theReferenceStaysWhereThePolicyStarted() throws Exception {
        policy("run", Optional.empty(), Optional.empty(), true, (run, policy) -> {
            Decoder reference = policy.reference();
            assertNotSame(policy.decoder(), reference);
            move(policy);
            assertArrayEquals(start(model), weights(reference));
            policy.save(run);
            float[] saved = start(run.folder().resolve("model"));
            assertEquals(0.25f, saved[0]);
        });
    }

    /// Until it is asked for nothing of it is in memory; then it is the start, wherever the policy is by now.
    @Test
    void aLossWithoutAReferenceHoldsNone() throws Exception {
        long before = Scope.liveTensors();
        policy("run", Optional.empty(), Optional.empty(), false, (_, policy) -> {
            assertSame(policy.model().decoder(), policy.decoder(), "one set of weights");
            long held = Scope.liveTensors();
            move(policy);
            assertArrayEquals(start(model), weights(policy.reference()));
            assertTrue(Scope.liveTensors() > held, "read only now");
            assertSame(policy.reference(), policy.reference());
        });
        assertEquals(before, Scope.liveTensors());
    }

    @Test
    void fineTuningMovesTheReferenceToo() throws Exception {
        long before = Scope.liveTensors();
        var sft = Optional.of(TinyModel.training(3, 2, 1e-2, 3));
        float[][] tuned = new float[1][];
        policy("run", sft, Optional.empty(), true, (run, policy) -> {
            tuned[0] = weights(policy.reference());
            assertFalse(Arrays.equals(start(model), tuned[0]));
            assertArrayEquals(tuned[0], weights(policy.decoder()));
            assertArrayEquals(tuned[0], start(run.folder().resolve("reference")));
        });
        // The run goes on: its start is there already and is taken as it is.
        try (Run run = Run.resume(folder.resolve("run"), Terminal.quiet());
                PretrainedModel start = PretrainedModel.open(model, Device.CPU);
                Policy policy = Policy.start(start, run, sft, List.of(), Optional.empty(), false, 5)) {
            assertArrayEquals(tuned[0], weights(policy.decoder()));
            assertArrayEquals(tuned[0], weights(policy.reference()));
        }
        assertEquals(before, Scope.liveTensors());
    }

    @Test
    void anAdapterSharesItsWeightsWithTheReference() throws Exception {
        long before = Scope.liveTensors();
        policy("run", Optional.empty(), Optional.of(new Policy.Adapter(2, 4)), true, (run, policy) -> {
            assertSame(policy.decoder().parameters(), policy.reference().parameters());
            int base = weights(policy.reference()).length;
            assertTrue(policy.trained().count() < base, policy.trained().count() + " of " + base);
            policy.save(run);
            assertTrue(Files.exists(run.folder().resolve("adapter/adapter_model.safetensors")));
            assertFalse(Files.exists(run.folder().resolve("model")));
        });
        assertEquals(before, Scope.liveTensors());
    }

    /// Settings that are not read are written again, and so is the tokenizer.
    @Test
    void aModelIsWrittenAsItWasFound() throws Exception {
        Path config = model.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("\\{", "{\"note_of_its_maker\": 7,"));
        try (PretrainedModel found = PretrainedModel.open(model, Device.CPU)) {
            InPlace.fill_(found.decoder().parameters().flat(), 0.5);
            found.save(found.decoder(), folder.resolve("copy"));
        }
        assertTrue(Files.readString(folder.resolve("copy/config.json")).contains("note_of_its_maker"));
        try (PretrainedModel copy = PretrainedModel.open(folder.resolve("copy"), Device.CPU)) {
            assertEquals(0.5f, weights(copy.decoder())[0]);
            assertArrayEquals(
                    TinyModel.TOKENIZER.encode("abc"), copy.tokenizer().encode("abc"));
            assertEquals(24, copy.tokenisation(100, Truncation.DROP).maxLength(), "of positions");
        }
    }
}
