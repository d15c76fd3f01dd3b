package dev.kedge.stress;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.config.ConfigException;
import dev.kedge.config.ConfigFile;
import dev.kedge.data.DataException;
import dev.kedge.data.Dataset;
import dev.kedge.data.ReadOptions;
import dev.kedge.nn.file.AdapterFile;
import dev.kedge.nn.file.GenerationConfig;
import dev.kedge.nn.file.InvalidFileException;
import dev.kedge.nn.file.ModelFamily;
import dev.kedge.nn.file.ModelFolder;
import dev.kedge.nn.file.Safetensors;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.Lora;
import dev.kedge.nn.lm.LoraWeights.Target;
import dev.kedge.recipe.Recipes;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.text.CharTokenizer;
import dev.kedge.text.ChatTemplate;
import dev.kedge.text.Message;
import dev.kedge.text.Tokenizer;
import dev.kedge.text.jinja.TemplateException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/// A reader of users' files, with inputs to begin from.
enum FuzzTarget {
    /// The first byte of an input says whether it stands as it is or behind a right length of its header.
    SAFETENSORS(InvalidFileException.class) {
        @Override
        List<byte[]> seeds(Path root) throws IOException {
            Path made = Files.createTempDirectory("kedge-seeds");
            prepare(made);
            byte[] file = Files.readAllBytes(made.resolve(WEIGHTS));
            int header = Math.toIntExact(
                    ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong());
            return List.of(
                    joined(new byte[] {0}, file),
                    joined(
                            new byte[] {1},
                            new String(file, 8, header, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8)),
                    ("\1{\"a\":{\"dtype\":\"F32\",\"shape\":[2,0,1],\"data_offsets\":[0,0]},"
                                    + "\"__metadata__\":{\"format\":\"pt\"}}")
                            .getBytes(StandardCharsets.UTF_8));
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            byte[] file = input;
            if (input.length > 0 && input[0] == 1) {
                byte[] length = ByteBuffer.allocate(8)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putLong(input.length - 1)
                        .array();
                file = joined(length, tail(input));
            } else if (input.length > 0) {
                file = tail(input);
            }
            try (Scope _ = new Scope()) {
                Safetensors.read(Files.write(folder.resolve("fuzzed.safetensors"), file));
            }
        }
    },

    /// A model folder whose weights are whole and whose configuration is not.
    CONFIG(InvalidFileException.class) {
        @Override
        List<byte[]> seeds(Path root) throws IOException {
            Path made = Files.createTempDirectory("kedge-seeds");
            prepare(made);
            return List.of(Files.readAllBytes(made.resolve("config.json")));
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            Files.write(folder.resolve("config.json"), input);
            try (Scope _ = new Scope()) {
                ModelFolder.load(folder, DType.FLOAT32, Device.CPU);
            }
        }
    },

    TOKENIZER(IllegalArgumentException.class) {
        @Override
        List<byte[]> seeds(Path root) throws IOException {
            Path made = Files.createTempDirectory("kedge-seeds");
            CharTokenizer.of("0123456789+=").save(made);
            List<byte[]> seeds = new ArrayList<>(List.of(Files.readAllBytes(made.resolve("tokenizer.json"))));
            for (String model : List.of(
                    "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"<0x41>\":3,\"▁\":4},\"merges\":[\"a b\"],"
                            + "\"unk_token\":null,\"byte_fallback\":true}",
                    "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"Ġ\":3},\"merges\":[[\"a\",\"b\"]]}")) {
                for (String rest : List.of(
                        "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\",\"prepend\":\"▁\"},"
                                + "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"▁\"}]},"
                                + "\"pre_tokenizer\":null,\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":"
                                + "[{\"SpecialToken\":{\"id\":\"a\",\"type_id\":0}},{\"Sequence\":{\"id\":\"A\",\"type_id\":0}}],"
                                + "\"special_tokens\":{\"a\":{\"id\":\"a\",\"ids\":[0],\"tokens\":[\"a\"]}}},"
                                + "\"decoder\":{\"type\":\"ByteFallback\"}",
                        "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,"
                                + "\"trim_offsets\":true,\"use_regex\":true},\"post_processor\":null,"
                                + "\"decoder\":{\"type\":\"ByteLevel\"}",
                        "\"normalizer\":null,\"pre_tokenizer\":{\"type\":\"Split\",\"pattern\":{\"Regex\":\"\\\\p{L}+|\\\\s\"},"
                                + "\"behavior\":\"Isolated\",\"invert\":false}")) {
                    seeds.add(("{\"version\":\"1.0\",\"added_tokens\":[{\"id\":5,\"content\":\"<x>\",\"special\":true,"
                                    + "\"lstrip\":false,\"rstrip\":true,\"single_word\":false,\"normalized\":false}],"
                                    + rest
                                    + ",\"model\":" + model + "}")
                            .getBytes(StandardCharsets.UTF_8));
                }
            }
            return seeds;
        }

        @Override
        void prepare(Path folder) {
            // The file is the whole of it.
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            Files.write(folder.resolve("tokenizer.json"), input);
            try (Tokenizer tokenizer = Tokenizer.load(folder)) {
                tokenizer.decode(tokenizer.encode("ab <x> ba é漢 1+1="));
            }
        }
    },

    GENERATION_CONFIG(InvalidFileException.class) {
        @Override
        List<byte[]> seeds(Path root) {
            return List.of(
                    ("{\"bos_token_id\":1,\"eos_token_id\":[2,3],\"pad_token_id\":0,\"temperature\":0.6,\"top_p\":0.9,"
                                    + "\"top_k\":50,\"do_sample\":true,\"repetition_penalty\":1.1}")
                            .getBytes(StandardCharsets.UTF_8));
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            GenerationConfig.read(Files.write(folder.resolve("generation_config.json"), input));
        }
    },

    JSON_LINES(DataException.class) {
        @Override
        List<byte[]> seeds(Path root) {
            return Stream.of(
                            "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\",\"label\":true}\n",
                            "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}]}\n",
                            "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\"}\n\n{\"prompt\":\"a\"}\n{\"text\":\"x\"}",
                            "{\"chosen\":\"\\n\\nHuman: a\\n\\nAssistant: b\",\"rejected\":\"\\n\\nHuman: a\\n\\nAssistant: c\"}\n",
                            "[{\"instruction\":\"a\",\"input\":\"\",\"output\":\"b\"}]",
                            "{\"chosen\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"b\"}],"
                                    + "\"rejected\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"assistant\",\"content\":\"c\"}]}")
                    .map(s -> s.getBytes(StandardCharsets.UTF_8))
                    .toList();
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            Path file = Files.write(folder.resolve("fuzzed.jsonl"), input);
            Dataset.read(file, ReadOptions.skipping());
            Dataset.read(file, ReadOptions.strict());
        }
    },

    YAML(ConfigException.class) {
        @Override
        List<byte[]> seeds(Path root) throws IOException {
            List<byte[]> seeds = new ArrayList<>();
            try (var files = Files.list(root.resolve("recipes"))) {
                for (Path file : files.filter(f -> f.toString().endsWith(".yaml"))
                        .sorted()
                        .toList()) {
                    seeds.add(Files.readAllBytes(file));
                }
            }
            return seeds;
        }

        @Override
        void read(byte[] input, Path folder) {
            ConfigFile file = ConfigFile.parse("fuzzed.yaml", new String(input, StandardCharsets.UTF_8), List.of());
            Record config = Recipes.config(file);
            ConfigFile.text(file.recipe(), config);
        }
    },

    TEMPLATE(TemplateException.class, IllegalArgumentException.class) {
        private static final List<Message> CONVERSATION = List.of(
                new Message("system", "Be kind."),
                new Message("user", "1+1="),
                new Message("assistant", "2"),
                new Message("user", "More?"));

        @Override
        List<byte[]> seeds(Path root) throws IOException {
            List<byte[]> seeds = new ArrayList<>();
            JsonNode tree = new ObjectMapper()
                    .readTree(root.resolve("text/src/test/resources/chat/conversations.json")
                            .toFile());
            tree.path("templates").forEach(t -> seeds.add(t.asText().getBytes(StandardCharsets.UTF_8)));
            return seeds;
        }

        @Override
        void read(byte[] input, Path folder) {
            ChatTemplate template = ChatTemplate.of(
                    new String(input, StandardCharsets.UTF_8), Map.of("bos_token", "<s>", "eos_token", "</s>"));
            template.render(CONVERSATION, true);
            template.renderWithSpans(CONVERSATION.subList(0, 3));
        }
    },

    /// Up to the first zero byte adapter_config.json, after it adapter_model.safetensors.
    ADAPTER(InvalidFileException.class) {
        @Override
        List<byte[]> seeds(Path root) throws IOException {
            Path made = Files.createTempDirectory("kedge-seeds");
            try (Scope _ = new Scope();
                    Rng rng = Rng.seeded(1);
                    Decoder decoder = Decoder.random(TINY, rng, Device.CPU);
                    Lora lora = Lora.create(
                            decoder, List.of(new Target("layers.0.attention.output.weight", 0, 8)), 1, 2, rng)) {
                new AdapterFile(ModelFamily.of(TINY), TINY).write(made, lora.weights(), "base");
            }
            return List.of(joined(
                    joined(Files.readAllBytes(made.resolve("adapter_config.json")), new byte[1]),
                    Files.readAllBytes(made.resolve("adapter_model.safetensors"))));
        }

        @Override
        void read(byte[] input, Path folder) throws IOException {
            int end = 0;
            while (end < input.length && input[end] != 0) {
                end++;
            }
            int rest = Math.min(input.length, end + 1);
            Files.write(folder.resolve("adapter_config.json"), Arrays.copyOf(input, end));
            Files.write(folder.resolve("adapter_model.safetensors"), Arrays.copyOfRange(input, rest, input.length));
            try (Scope _ = new Scope()) {
                new AdapterFile(ModelFamily.of(TINY), TINY).read(folder, DType.FLOAT32, Device.CPU);
            }
        }
    };

    private static final String WEIGHTS = "model.safetensors";
    private static final DecoderConfig TINY = DecoderConfig.small(6, 8, 1, 2, 16);

    /// The exceptions in which an input may be refused.
    final Set<Class<? extends RuntimeException>> refusals;

    @SafeVarargs
    FuzzTarget(Class<? extends RuntimeException>... refusals) {
        this.refusals = Set.of(refusals);
    }

    /// Inputs to begin from.
    abstract List<byte[]> seeds(Path root) throws IOException;

    abstract void read(byte[] input, Path folder) throws IOException;

    /// A tiny model's folder, for what stands beside a fuzzed file.
    void prepare(Path folder) throws IOException {
        try (Scope _ = new Scope();
                Rng rng = Rng.seeded(1);
                Decoder decoder = Decoder.random(TINY, rng, Device.CPU)) {
            ModelFolder.save(folder, TINY, decoder.parameters().named(), GenerationConfig.NONE);
        }
    }

    private static byte[] tail(byte[] bytes) {
        return Arrays.copyOfRange(bytes, 1, bytes.length);
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
