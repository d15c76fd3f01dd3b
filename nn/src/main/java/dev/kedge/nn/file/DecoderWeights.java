package dev.kedge.nn.file;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;

/// Turns the tensors of a family's file into a decoder's parameters, and back.
final class DecoderWeights {
    private final ModelFamily family;
    private final WeightTable table;
    private final DecoderConfig config;
    private final NameStyle style;

    DecoderWeights(ModelFamily family, DecoderConfig config, NameStyle style) {
        this.family = family;
        this.table = WeightTable.of(family);
        this.config = config;
        this.style = style;
    }

    /// How a file names its tensors, where a family leaves a choice.
    ///
    /// @param prefixed  whether names begin with the family's prefix, such as `model.`
    /// @param embedding whether the embedding is stored
    /// @param head      whether the head is stored; with a tied head, one of the two may be left out
    record NameStyle(boolean prefixed, boolean embedding, boolean head) {
        /// As the family's own code saves a model.
        static NameStyle usual(DecoderConfig config) {
            return new NameStyle(true, true, !config.tiedHead());
        }

        static NameStyle of(Set<String> names, ModelFamily family, DecoderConfig config) {
            WeightTable table = WeightTable.of(family);
            boolean prefixed = names.stream().anyMatch(name -> name.startsWith(table.prefix()));
            boolean head = names.contains(table.rowOf("head").disk().getFirst() + ".weight");
            String embedding = table.name(table.rowOf("embedding").disk().getFirst() + ".weight", "", prefixed);
            return new NameStyle(
                    prefixed, !config.tiedHead() || !head || names.contains(embedding), !config.tiedHead() || head);
        }
    }

    /// Where a parameter lies on disk.
    private record Source(Layout layout, List<String> names, long[] rows, List<long[]> shapes) {}

    private Source source(String parameter, long[] shape) {
        int dot = parameter.lastIndexOf('.');
        String module = parameter.substring(0, dot);
        WeightTable.Row row = table.rowOf(module);
        String layer = WeightTable.layerOf(module);
        List<String> names = row.disk().stream()
                .map(disk -> table.name(disk + parameter.substring(dot), layer, style.prefixed()))
                .toList();
        long[] rows = row.parts(config, shape[0]);
        return new Source(row.layout(), names, rows, row.layout().shapes(shape, rows));
    }

    /// Every parameter's place on disk. A tied head that is stored has a place too.
    private SequencedMap<String, Source> sources() {
        SequencedMap<String, Source> sources = new LinkedHashMap<>();
        SequencedMap<String, long[]> shapes = DecoderLayout.shapes(config);
        long[] vocabulary = shapes.get("embedding.weight");
        shapes.forEach((name, shape) -> sources.put(name, source(name, shape)));
        if (!style.embedding()) {
            sources.put("embedding.weight", source("head.weight", vocabulary));
        } else if (style.head() && config.tiedHead()) {
            sources.put("head.weight", source("head.weight", vocabulary));
        }
        return sources;
    }

    /// Reads all parameters.
    ///
    /// @param dtype the type to convert them to; empty for the stored one
    /// @throws InvalidFileException if tensors are missing, unexpected or of another shape
    SequencedMap<String, Tensor> read(WeightsFolder file, Optional<DType> dtype, Device device) {
        SequencedMap<String, TensorEntry> entries = file.entries();
        if (config.layers() > entries.size()) {
            throw new InvalidFileException(
                    file.source(),
                    "has " + entries.size() + " tensors for the " + config.layers() + " layers of config.json");
        }
        SequencedMap<String, Source> sources = sources();
        check(file, sources, entries);
        SequencedMap<String, Tensor> parameters = new LinkedHashMap<>();
        try (Scope scope = new Scope()) {
            sources.forEach((name, source) -> parameters.put(name, assemble(file, source, dtype, device)));
            if (style.embedding() && config.tiedHead() && style.head()) {
                dropHead(file, parameters);
            }
            parameters.values().forEach(scope::keep);
        }
        return parameters;
    }

    private void check(WeightsFolder file, Map<String, Source> sources, Map<String, TensorEntry> entries) {
        List<String> faults = new ArrayList<>();
        Set<String> expected = new HashSet<>();
        for (Source source : sources.values()) {
            for (int i = 0; i < source.names().size(); i++) {
                String name = source.names().get(i);
                long[] shape = source.shapes().get(i);
                TensorEntry entry = entries.get(name);
                expected.add(name);
                if (entry == null) {
                    faults.add(name + " is missing");
                } else if (!Arrays.equals(entry.shape(), shape)) {
                    faults.add(name + " is " + Arrays.toString(entry.shape()) + ", must be " + Arrays.toString(shape));
                } else if (!entry.dtype().isFloatingPoint()) {
                    faults.add(name + " is " + entry.dtype() + ", must be floating point");
                }
            }
        }
        for (String name : entries.keySet()) {
            if (!expected.contains(name) && !table.ignores(name)) {
                faults.add(InvalidFileException.quoted(name) + " is unexpected");
            }
        }
        if (!faults.isEmpty()) {
            throw new InvalidFileException(
                    file.source(),
                    "does not fit the " + family.modelType() + " of config.json: " + DecoderLayout.firstOf(faults));
        }
    }

    private Tensor assemble(WeightsFolder file, Source source, Optional<DType> dtype, Device device) {
        try (Scope scope = new Scope()) {
            List<Tensor> parts = source.names().stream().map(file::read).toList();
            if (parts.stream().map(Tensor::dtype).distinct().count() > 1 && dtype.isEmpty()) {
                throw new InvalidFileException(
                        file.source(), String.join(", ", source.names()) + " must have one type, to be one parameter");
            }
            List<Tensor> typed =
                    parts.stream().map(p -> p.to(dtype.orElse(p.dtype()))).toList();
            return scope.keep(source.layout().join(typed, config).to(device));
        }
    }

    private static void dropHead(WeightsFolder file, Map<String, Tensor> parameters) {
        try (Tensor head = parameters.remove("head.weight");
                Tensor equal = head.eq(parameters.get("embedding.weight"))) {
            if (!equal.allTrue()) {
                throw new InvalidFileException(
                        file.source(),
                        "stores a head that differs from the embedding, but tie_word_embeddings is true");
            }
        }
    }

    /// The tensors of a file of this family: views, where that is possible. Gradients are not recorded.
    ///
    /// @throws IllegalArgumentException if these are not the parameters of the decoder
    SequencedMap<String, Tensor> toDisk(Map<String, Tensor> parameters) {
        DecoderLayout.check(config, parameters);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        sources().forEach((name, source) -> {
            Tensor parameter =
                    parameters.get(config.tiedHead() && name.equals("head.weight") ? "embedding.weight" : name);
            List<Tensor> parts = source.layout().split(parameter.detach(), source.rows(), config);
            for (int i = 0; i < parts.size(); i++) {
                tensors.put(source.names().get(i), parts.get(i));
            }
        });
        return tensors;
    }
}
