package dev.kedge.nn.file;

import static dev.kedge.nn.file.InvalidFileException.quoted;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderLayout;
import dev.kedge.nn.lm.LoraWeights;
import dev.kedge.nn.lm.LoraWeights.Factors;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeSet;

/// LoRA adapters in the form of Hugging Face PEFT: adapter_config.json and adapter_model.safetensors.
///
/// @param family  the family of the base model, which gives modules their names
/// @param config  the base model's shape
public record AdapterFile(ModelFamily family, DecoderConfig config) {
    static final String CONFIG = "adapter_config.json";
    static final String WEIGHTS = "adapter_model.safetensors";
    static final String BASE = "base_model_name_or_path";

    /// The key, among the free strings of the weights' file, of the base's [AdaptedModel#sha256]. PEFT reads over it.
    static final String BASE_SHA256 = "base_sha256";

    private static final String BEFORE = "base_model.model.";

    /// What changes an adapter's computation in ways that are not supported, and the value that leaves it alone.
    private static final Map<String, String> UNSUPPORTED = new LinkedHashMap<>();

    static {
        UNSUPPORTED.put("use_dora", "false");
        UNSUPPORTED.put("use_qalora", "false");
        UNSUPPORTED.put("lora_bias", "false");
        UNSUPPORTED.put("modules_to_save", "null");
        UNSUPPORTED.put("rank_pattern", "empty");
        UNSUPPORTED.put("alpha_pattern", "empty");
        UNSUPPORTED.put("layer_replication", "null");
        UNSUPPORTED.put("target_parameters", "null");
        UNSUPPORTED.put("trainable_token_indices", "null");
        UNSUPPORTED.put("alora_invocation_tokens", "null");
    }

    /// A module that an adapter can change.
    ///
    /// @param name its last name on disk, such as `q_proj`
    /// @param path its whole name on disk
    /// @param in   the width of its input
    private record Module(String name, String path, Layout layout, Target target, long in) {
        /// Whether an entry of `target_modules` means this: its path, or the end of it.
        boolean isNamed(String wanted) {
            return path.equals(wanted) || path.endsWith("." + wanted);
        }

        String factor(String which) {
            return BEFORE + path + ".lora_" + which + ".weight";
        }
    }

    /// Reads an adapter; its tensors belong to the caller's scope.
    ///
    /// @param dtype the type to convert them to
    /// @throws InvalidFileException if a file is damaged, does not fit the base model or asks for what is not
    ///                              supported
    /// @throws java.io.UncheckedIOException if a file cannot be read
    public LoraWeights read(Path folder, DType dtype, Device device) {
        return read(folder, "this " + family.modelType(), dtype, device);
    }

    /// @param base what the adapter is read for, in messages
    LoraWeights read(Path folder, String base, DType dtype, Device device) {
        JsonFields json = JsonFields.read(folder.resolve(CONFIG));
        if (!json.text("peft_type").equals("LORA")) {
            throw json.wrong("peft_type", "LORA");
        }
        checkSupported(json);
        int rank = json.integer("r");
        double alpha = json.number("lora_alpha");
        boolean rslora = json.flag("use_rslora", false);
        Path file = folder.resolve(WEIGHTS);
        if (!Files.exists(file)) {
            throw new InvalidFileException(folder, "holds no " + WEIGHTS + "; pickled weights (.bin) are not read");
        }
        SequencedMap<Target, Factors> factors = new LinkedHashMap<>();
        try (SafetensorsFile weights = Safetensors.open(file);
                Scope scope = new Scope()) {
            for (Module module : present(json, weights, rank, base)) {
                Tensor a = finite(weights, module.factor("A"));
                Tensor b = finite(weights, module.factor("B"));
                factors.put(
                        module.target(),
                        new Factors(
                                a.to(dtype).to(device),
                                toMemory(module, b).to(dtype).to(device)));
            }
            factors.values().forEach(f -> {
                scope.keep(f.a());
                scope.keep(f.b());
            });
        }
        return new LoraWeights(rank, alpha, rslora, factors);
    }

    private static Tensor finite(SafetensorsFile weights, String name) {
        return FiniteWeights.required(weights.path(), name, weights.read(name));
    }

    private void checkSupported(JsonFields json) {
        UNSUPPORTED.forEach((key, right) -> {
            if (!json.asksForNothing(key)) {
                throw json.wrong(key, right + ": it is not supported");
            }
        });
        if (!json.text("bias", "none").equals("none")) {
            throw json.wrong("bias", "none: trained biases are not supported");
        }
        if (!json.text("task_type", "CAUSAL_LM").equals("CAUSAL_LM")) {
            throw json.wrong("task_type", "CAUSAL_LM");
        }
        boolean transposed = family == ModelFamily.GPT2;
        if (json.flag("fan_in_fan_out", transposed) != transposed) {
            throw json.wrong("fan_in_fan_out", transposed + " for " + family.modelType());
        }
    }

    /// Every module of the decoder that an adapter can change, in the order of the computation.
    private List<Module> modules() {
        WeightTable table = WeightTable.of(family);
        List<Module> modules = new ArrayList<>();
        DecoderLayout.shapes(config).forEach((name, shape) -> {
            if (!name.startsWith("layers.") || !name.endsWith(".weight") || shape.length != 2) {
                return;
            }
            String module = name.substring(0, name.length() - ".weight".length());
            WeightTable.Row row = table.rowOf(module);
            String layer = WeightTable.layerOf(module);
            long[] rows = row.parts(config, shape[0]);
            long from = 0;
            for (int i = 0; i < rows.length; i++) {
                String path = table.name(row.disk().get(i), layer, true);
                String last = path.substring(path.lastIndexOf('.') + 1);
                Target target = new Target(name, from, from + rows[i]);
                modules.add(new Module(last, path, row.layout(), target, shape[1]));
                from += rows[i];
            }
        });
        return modules;
    }

    /// The modules that the file changes, after its tensors have been found complete and of the right shapes.
    private List<Module> present(JsonFields json, SafetensorsFile file, int rank, String base) {
        Set<String> wanted = targets(json);
        Set<String> unexpected = new TreeSet<>(file.entries().keySet());
        List<String> faults = new ArrayList<>();
        List<Module> present = new ArrayList<>();
        for (Module module : modules()) {
            boolean named = wanted == null || wanted.stream().anyMatch(module::isNamed);
            boolean a = file.entries().containsKey(module.factor("A"));
            boolean b = file.entries().containsKey(module.factor("B"));
            if (named && (a || b)) {
                check(file, faults, module.factor("A"), rank, module.in());
                check(
                        file,
                        faults,
                        module.factor("B"),
                        module.target().to() - module.target().from(),
                        rank);
                unexpected.removeAll(List.of(module.factor("A"), module.factor("B")));
                present.add(module);
            } else if (named && wanted != null && !json.has("layers_to_transform") && !json.has("exclude_modules")) {
                faults.add(module.factor("A") + " is missing");
            }
        }
        unexpected.forEach(name -> faults.add(quoted(name) + " is unexpected"));
        if (wanted != null) {
            wanted.stream()
                    .filter(name -> present.stream().noneMatch(m -> m.isNamed(name)))
                    .forEach(name -> faults.add("target_modules names " + quoted(name) + ", which has no tensors"));
        }
        if (!faults.isEmpty()) {
            throw new InvalidFileException(file.path(), "does not fit " + base + ": " + DecoderLayout.firstOf(faults));
        }
        return present;
    }

    /// The modules that the configuration names; null where it gives a pattern, and the tensors alone must say.
    private static Set<String> targets(JsonFields json) {
        boolean pattern =
                !json.has("target_modules") || json.node().get("target_modules").isTextual();
        return pattern ? null : new TreeSet<>(json.texts("target_modules"));
    }

    private static void check(SafetensorsFile file, List<String> faults, String name, long... shape) {
        TensorEntry entry = file.entries().get(name);
        if (entry == null) {
            faults.add(name + " is missing");
        } else if (!Arrays.equals(entry.shape(), shape)) {
            faults.add(name + " is " + Arrays.toString(entry.shape()) + ", must be " + Arrays.toString(shape));
        } else if (!entry.dtype().isFloatingPoint()) {
            faults.add(name + " is " + entry.dtype() + ", must be floating point");
        }
    }

    /// A transposed module's update is transposed as well: its factors are those of the weight in memory already.
    private Tensor toMemory(Module module, Tensor b) {
        return module.layout() == Layout.PER_HEAD ? module.layout().join(List.of(b), config) : b;
    }

    private Tensor toDisk(Module module, Tensor b) {
        return module.layout() == Layout.PER_HEAD
                ? module.layout().split(b, new long[] {b.size(0)}, config).getFirst()
                : b;
    }

    /// Writes an adapter. An update of several modules' rows at once becomes one of each, with the same `a`.
    ///
    /// @param baseModel where the base model is found: a folder, or a name on the hub
    /// @throws IllegalArgumentException if an update is of rows that are not whole modules of this family
    /// @throws java.io.UncheckedIOException if a file cannot be written
    public void write(Path folder, LoraWeights lora, String baseModel) {
        write(folder, lora, baseModel, Map.of("format", "pt"));
    }

    /// As [#write(Path, LoraWeights, String)], with what tells the base from others, so that it can be looked for.
    ///
    /// @param base       the folder of the base model; found from anywhere
    /// @param parameters those of the base
    public void write(Path folder, LoraWeights lora, Path base, Map<String, Tensor> parameters) {
        String whole = base.toAbsolutePath().normalize().toString();
        write(folder, lora, whole, Map.of("format", "pt", BASE_SHA256, AdaptedModel.sha256(parameters)));
    }

    private void write(Path folder, LoraWeights lora, String baseModel, Map<String, String> metadata) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Set<String> names = new TreeSet<>();
        List<Module> written = new ArrayList<>();
        List<Module> modules = modules();
        try (Scope _ = new Scope()) {
            lora.factors().forEach((target, factors) -> {
                for (Module module : within(modules, target)) {
                    Target part = module.target();
                    Tensor b = factors.b().detach().narrow(0, part.from() - target.from(), part.to() - part.from());
                    if (tensors.put(module.factor("A"), factors.a().detach()) != null) {
                        throw new IllegalArgumentException(target + " changes " + module.path() + " a second time");
                    }
                    tensors.put(module.factor("B"), toDisk(module, b));
                    names.add(module.name());
                    written.add(module);
                }
            });
            boolean everywhere =
                    modules.stream().filter(m -> names.contains(m.name())).count() == written.size();
            Safetensors.write(folder.resolve(WEIGHTS), tensors, metadata);
            AtomicFile.write(folder.resolve(CONFIG), JsonFields.bytes(json(lora, baseModel, everywhere, written)));
        }
    }

    private static List<Module> within(List<Module> modules, Target target) {
        List<Module> parts = modules.stream()
                .filter(m -> m.target().weight().equals(target.weight())
                        && m.target().from() >= target.from()
                        && m.target().to() <= target.to())
                .toList();
        long rows = parts.stream()
                .mapToLong(m -> m.target().to() - m.target().from())
                .sum();
        if (parts.isEmpty() || rows != target.to() - target.from()) {
            throw new IllegalArgumentException(target + " is not made of whole modules that an adapter can name");
        }
        return parts;
    }

    /// Modules are named by their last names where that means all of them, else by their full paths.
    private ObjectNode json(LoraWeights lora, String baseModel, boolean everywhere, List<Module> written) {
        ObjectNode node = JsonFields.MAPPER.createObjectNode();
        node.put("peft_type", "LORA");
        node.put("task_type", "CAUSAL_LM");
        node.put("base_model_name_or_path", baseModel);
        node.put("r", lora.rank());
        node.put("lora_alpha", lora.alpha());
        node.put("lora_dropout", 0.0);
        node.put("bias", "none");
        node.put("fan_in_fan_out", family == ModelFamily.GPT2);
        node.put("use_rslora", lora.rslora());
        node.put("use_dora", false);
        node.put("inference_mode", true);
        node.putNull("modules_to_save");
        var targets = node.putArray("target_modules");
        written.stream()
                .map(m -> everywhere ? m.name() : m.path())
                .distinct()
                .sorted()
                .forEach(targets::add);
        return node;
    }
}
