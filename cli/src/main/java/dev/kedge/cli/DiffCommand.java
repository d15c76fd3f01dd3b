package dev.kedge.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.config.ConfigException;
import dev.kedge.lab.plot.Quantity;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.sparsity.ModelDiff;
import dev.kedge.nn.sparsity.WeightUpdate;
import dev.kedge.sequence.Models;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
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

    @Option(
            names = "--mask",
            paramLabel = "FILE",
            description =
                    "Write which weights changed by more than 1e-5, for a recipe's `mask: {kind: file, path: FILE}`.")
    Path mask;

    @Option(names = "--json", description = "Print one JSON object.")
    boolean json;

    @Override
    public Integer call() throws JsonProcessingException {
        try (Scope _ = new Scope()) {
            ModelFolder start = Models.folder(before, Device.CPU);
            ModelFolder end = Models.folder(after, Device.CPU);
            ModelDiff diff = ModelDiff.of(
                    start, end, Optional.ofNullable(other).map(o -> Models.folder(o, Device.CPU)), storage.dtype);
            if (mask != null) {
                write(start, end);
            }
            if (json) {
                System.out.println(text(diff));
            } else {
                print(diff);
            }
        }
        return 0;
    }

    private void write(ModelFolder start, ModelFolder end) {
        Map<String, Tensor> changed = WeightUpdate.between(start.parameters(), end.parameters(), storage.dtype)
                .mask(ModelDiff.MASK_TOLERANCE);
        if (changed.values().stream().noneMatch(Tensor::anyTrue)) {
            throw new ConfigException(
                    "--mask: no weight changed by more than " + Quantity.number(ModelDiff.MASK_TOLERANCE) + " from "
                            + before + " to " + after
                            + ", so that nothing could be trained; another model, or --storage float32,"
                            + " would be right");
        }
        Safetensors.write(mask, changed, Map.of());
    }

    private void print(ModelDiff diff) {
        say("Weights unchanged, in %s%n", storage.name().toLowerCase(Locale.ROOT));
        say("  %-12s %10s %20s%n", "tolerance", "all", "without embeddings");
        diff.totals()
                .forEach(t -> say(
                        "  %-12s %9.2f%% %19.2f%%%n",
                        Quantity.number(t.tolerance()), 100 * t.sparsity(), 100 * t.inner()));
        say("%nShare of weights changed by more than a tolerance; of layers, the mean of their tensors%n");
        say("  %-36s %14s", "", "");
        ModelDiff.TOLERANCES.forEach(t -> say(" %8s", Quantity.number(t)));
        say(" %10s %10s%n", "rank", "shuffled");
        diff.layers().forEach((layer, densities) -> {
            say("  %-36s %14s", "layer " + layer, "");
            densities.forEach(d -> say(" %7.2f%%", 100 * d));
            say("%n");
        });
        diff.tensors().forEach(t -> {
            say(
                    "  %-36s %14s",
                    t.name(),
                    Arrays.toString(t.shape()).replaceAll("[\\[\\] ]", "").replace(",", " x "));
            t.densities().forEach(d -> say(" %7.2f%%", 100 * d));
            t.rank().ifPresent(r -> say(" %9.1f%%", 100 * r));
            t.shuffled().ifPresent(r -> say(" %9.1f%%", 100 * r));
            say("%n");
        });
        say("  rank: of the change, of the most it could be; shuffled: with its entries in random places%n");
        if (!diff.overlaps().isEmpty()) {
            say("%nOf the weights changed by more than %s%n", Quantity.number(ModelDiff.MASK_TOLERANCE));
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
        diff.layers().forEach((layer, densities) -> layers.set(layer.toString(), mapper.valueToTree(densities)));
        var tensors = node.putArray("tensors");
        diff.tensors().forEach(t -> {
            ObjectNode tensor = tensors.addObject().put("name", t.name());
            tensor.set("densities", mapper.valueToTree(t.densities()));
            tensor.set("shape", mapper.valueToTree(t.shape()));
            t.rank().ifPresent(r -> tensor.put("rank_ratio", r));
            t.shuffled().ifPresent(r -> tensor.put("rank_ratio_shuffled", r));
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
