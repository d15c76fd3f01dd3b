package dev.kedge.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RememberedTest {
    private record Settings(int steps) {}

    @TempDir
    Path folder;

    @Test
    void whatWasSavedComesBack() {
        List<Object> back = new ArrayList<>();
        try (Scope _ = new Scope();
                Run run = Run.start(folder.resolve("run"), "tiny", new Settings(1), Terminal.quiet())) {
            Tensor tensor = Tensor.of(new double[] {1.5, -2});
            List<Remembered> all = List.of(
                    Remembered.tensors("anchor", () -> Map.of("x", tensor)),
                    Remembered.number("level", () -> 0.1 + 0.2, back::add),
                    Remembered.count("drawn", () -> 1L << 60, back::add),
                    Remembered.text("words", () -> "ä\n\"b\"", back::add));
            Checkpoint checkpoint = Checkpoint.at("fit", 1);
            all.forEach(r -> r.save(checkpoint));
            run.save(checkpoint);
            InPlace.fill_(tensor, 7);
            all.forEach(r -> r.restore(run.latest().orElseThrow()));
            assertArrayEquals(new double[] {1.5, -2}, tensor.toDoubles());
        }
        assertEquals(List.of(0.1 + 0.2, 1L << 60, "ä\n\"b\""), back);
    }
}
