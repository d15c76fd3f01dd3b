package dev.kedge.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.lab.ModelDiff;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What a training changed.
@Command(
        name = "diff",
        description = "Show which weights a training changed: how many, where, of which rank.",
        mixinStandardHelpOptions = true)
final class DiffCommand implements Callable<Integer> {
    /// Types in which weights are compared.
    enum Storage {
        BFLOAT16(DType.BFLOAT16),
        FLOAT32(DType.FLOAT32);

        private final DType dtype;

        Storage(DType dtype) {
            this.dtype = dtype;
        }
    }

    @Parameters(index = "0", paramLabel = "MODEL_A", description = "The model before.")
    Path before;

    @Parameters(index = "1", paramLabel = "MODEL_B", description = "The model after.")
    Path after;

    @Option(
            names = "--other",
            paramLabel = "MODEL_C",
            description = "A second training of MODEL_A: do both change the same weights?")
    Path other;

    @Option(
            names = "--storage",
            defaultValue = "bfloat16",
            paramLabel = "TYPE",
            description = "Weights are rounded to it first: ${COMPLETION-CANDIDATES} (${DEFAULT-VALUE}).")
    Storage storage;

    @Option(names = "--json", description = "Print one JSON object.")
    boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        try (Scope _ = new Scope()) {
            ModelDiff diff = ModelDiff.of(
                    ModelFolder.load(before, DType.FLOAT32, Device.CPU),
                    ModelFolder.load(after, DType.FLOAT32, Device.CPU),
                    Optional.ofNullable(other).map(o -> ModelFolder.load(o, DType.FLOAT32, Device.CPU)),
                    storage.dtype);
            if (json) {
                System.out.println(text(diff));
            } else {
                print(diff);
            }
        }
        return 0;
    }

    private void print(ModelDiff diff) {
        say("Weights unchanged, in %s%n", storage.name().toLowerCase(Locale.ROOT));
        say("  %-12s %10s %20s%n", "tolerance", "all", "without embeddings");
        diff.totals()
                .forEach(t -> say("  %-12s %9.2f%% %19.2f%%%n", t.tolerance(), 100 * t.sparsity(), 100 * t.inner()));
        say("%nLayers: share of weights changed at all, mean of their tensors%n");
        diff.layers().forEach((layer, density) -> say("  %-12d %9.2f%%%n", layer, 100 * density));
        say("%nTensors%n  %-36s %14s %10s %14s%n", "name", "shape", "changed", "rank of change");
        diff.tensors()
                .forEach(t -> say(
                        "  %-36s %14s %9.2f%% %14s%n",
                        t.name(),
                        Arrays.toString(t.shape()).replaceAll("[\\[\\] ]", "").replace(",", " x "),
                        100 * t.density(),
                        t.rank()
                                .map(r -> String.format(Locale.ROOT, "%.1f%%", 100 * r))
                                .orElse("")));
        if (!diff.overlaps().isEmpty()) {
            say("%nOf the weights changed by more than %s%n", ModelDiff.MASK_TOLERANCE);
        }
        diff.overlaps()
                .forEach(o -> say(
                        "  %.1f%% are among %s (by chance %.1f%%), and hold %.1f%% of those (by chance %.1f%%)%n",
                        100 * o.value().first(),
                        o.with().startsWith("as many") ? o.with() : "those that " + o.with() + " changed",
                        100 * o.value().chanceFirst(),
                        100 * o.value().second(),
                        100 * o.value().chanceSecond()));
    }

    private static void say(String format, Object... values) {
        System.out.printf(Locale.ROOT, format, values);
    }

    private String text(ModelDiff diff) throws JsonProcessingException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode node = mapper.createObjectNode();
        node.put("before", before.toString()).put("after", after.toString());
        node.put("storage", storage.name().toLowerCase(Locale.ROOT));
        var totals = node.putArray("unchanged");
        diff.totals().forEach(t -> totals.addObject()
                .put("tolerance", t.tolerance())
                .put("all", t.sparsity())
                .put("without_embeddings", t.inner()));
        var layers = node.putObject("layer_densities");
        diff.layers().forEach((layer, density) -> layers.put(layer.toString(), density));
        var tensors = node.putArray("tensors");
        diff.tensors().forEach(t -> {
            ObjectNode tensor = tensors.addObject().put("name", t.name()).put("density", t.density());
            tensor.set("shape", mapper.valueToTree(t.shape()));
            t.rank().ifPresent(r -> tensor.put("rank_ratio", r));
        });
        var overlaps = node.putArray("overlaps");
        diff.overlaps().forEach(o -> overlaps.addObject()
                .put("with", o.with())
                .put("first", o.value().first())
                .put("second", o.value().second())
                .put("chance_first", o.value().chanceFirst())
                .put("chance_second", o.value().chanceSecond())
                .put("jaccard", o.value().jaccard()));
        return mapper.writeValueAsString(node);
    }
}
