package dev.kedge.sequence;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.run.Run;
import dev.kedge.run.Terminal;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Policies that are kept while they learn, and those that are trained once. A policy is told by its first weight.
class SnapshotsTest {
    @TempDir
    Path folder;

    private long live;
    private Decoder start;

    @BeforeEach
    void open() {
        live = Scope.liveTensors();
        start = Models.load(TinyModel.in(folder.resolve("start"), 1), Device.CPU);
    }

    @AfterEach
    void everythingIsFreed() {
        start.close();
        assertEquals(live, Scope.liveTensors());
    }

    private Snapshots snapshots(int every, int last) {
        return new Snapshots(folder.resolve("kept"), "step", every, last, TinyModel.TOKENIZER);
    }

    private static void set(Decoder decoder, double value) {
        InPlace.fill_(decoder.parameters().flat(), value);
    }

    private static float first(Decoder decoder) {
        return decoder.parameters().flat().toFloats()[0];
    }

    private static float firstThenClose(Decoder decoder) {
        try (decoder) {
            return first(decoder);
        }
    }

    @Test
    void aPolicyIsKeptEverySoManyStepsAndAtTheEnd() {
        Snapshots snapshots = snapshots(2, 5);
        assertArrayEquals(new int[] {2, 4, 5}, snapshots.steps().toArray());
        assertArrayEquals(new int[] {3}, snapshots(7, 3).steps().toArray());
        assertArrayEquals(new int[] {1}, snapshots(1, 1).steps().toArray());
        for (int step = 1; step <= 5; step++) {
            assertFalse(snapshots.isComplete());
            set(start, step);
            snapshots.keep(step, start);
        }
        assertTrue(snapshots.isComplete());
        assertEquals(folder.resolve("kept/step-4"), snapshots.at(4));
        assertFalse(Files.exists(snapshots.at(1)));
        assertFalse(Files.exists(snapshots.at(3)));
        assertEquals(4, firstThenClose(snapshots.load(4, Device.CPU)));
        assertEquals(5, firstThenClose(snapshots.loadLast(Device.CPU)));
        assertEquals(
                List.of("2: 2.0", "4: 4.0", "5: 5.0"),
                snapshots.evaluate(Device.CPU, (step, policy) -> step + ": " + first(policy)));
        // What is there stays: a run that goes on from an earlier checkpoint makes the same once more.
        set(start, 77);
        snapshots.keep(4, start);
        assertEquals(4, firstThenClose(snapshots.load(4, Device.CPU)));
    }

    @Test
    void whatHasLearntToTheEndIsNotTrainedAgain() {
        Snapshots snapshots = snapshots(3, 3);
        set(start, 1);
        List<Float> begun = new ArrayList<>();
        for (int times = 0; times < 2; times++) {
            snapshots.train(start, policy -> {
                assertNotSame(start, policy);
                begun.add(first(policy));
                set(policy, 8);
                snapshots.keep(3, policy);
            });
        }
        assertEquals(List.of(1f), begun);
        assertEquals(1, first(start), "a copy moves");
        assertEquals(8, firstThenClose(snapshots.loadLast(Device.CPU)));
    }

    @Test
    void stepsThatCannotBeAreRefused() {
        var e = assertThrows(IllegalArgumentException.class, () -> snapshots(0, 4));
        assertEquals("a snapshot every >= 1 steps of >= 1 expected, were 0 and 4", e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> snapshots(2, 0));
    }

    public record Noted(String text) {}

    @Test
    void eachPolicyOfARunIsTrainedOnce() {
        set(start, 1);
        List<String> phases = new ArrayList<>();
        try (Run run = Run.start(folder.resolve("run"), "tiny", new Noted("nothing"), Terminal.quiet())) {
            TrainedPolicies policies = new TrainedPolicies(run, start, TinyModel.TOKENIZER);
            for (int times = 0; times < 2; times++) {
                Decoder trained = policies.trained("beta-0.5", (phase, policy) -> {
                    assertEquals(1, first(policy));
                    phases.add(phase);
                    set(policy, 6);
                });
                assertEquals(6, firstThenClose(trained));
            }
            assertEquals(List.of("beta-0_5"), phases, "names of metrics have no points");
            assertEquals(1, first(start), "a copy moves");
            assertEquals(6, firstThenClose(policies.load("beta-0.5")));
            assertTrue(Models.isComplete(folder.resolve("run/policies/beta-0.5")));
            Snapshots snapshots = policies.snapshots("beta-0.5", 2, 3);
            assertEquals(folder.resolve("run/policies/beta-0_5/step-2"), snapshots.at(2));
            assertArrayEquals(new int[] {2, 3}, snapshots.steps().toArray());
            snapshots.keep(3, start);
            assertEquals(1, firstThenClose(snapshots.loadLast(Device.CPU)));
        }
    }
}
