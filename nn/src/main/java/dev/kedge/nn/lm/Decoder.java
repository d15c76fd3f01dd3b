package dev.kedge.nn.lm;

import static dev.kedge.tensor.Functional.attention;
import static dev.kedge.tensor.Functional.embedding;
import static dev.kedge.tensor.Functional.layerNorm;
import static dev.kedge.tensor.Functional.linear;
import static dev.kedge.tensor.Functional.rmsNorm;

import dev.kedge.nn.Parameters;
import dev.kedge.nn.lm.DecoderConfig.Positions;
import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Functional;
import dev.kedge.tensor.InPlace;
import dev.kedge.tensor.Rng;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Shapes;
import dev.kedge.tensor.Tensor;
import dev.kedge.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/// A decoder-only transformer: Llama, Qwen, Mistral, GPT-2 and GPT-NeoX by configuration. One path of code for training
/// and for sampling. The residual stream is kept two-dimensional, `[B * T, H]`, throughout.
///
/// Logits, and with them every distribution, are of the ids below [#vocabularySize]: the embedding's rows, or, where
/// a tokenizer is given, its ids. Those without a token are masked ([#absent]), so that nothing draws or learns them.
///
/// Owns its parameters, except where it was made by [#withAdapter] or [#withoutAdapter]: those share them.
public final class Decoder implements AutoCloseable {
    private final DecoderConfig config;
    private final Parameters parameters;
    private final Lora adapter; // null: none
    private final RotaryEmbedding rotary; // null: learned positions
    private final List<Block> blocks = new ArrayList<>();
    private final boolean owner;
    private final int vocabulary;
    private final Tensor absent; // null: every id has a token

    /// Added to the logit of an id without a token: its probability is 0 in any type, and no difference is NaN.
    private static final double ABSENT = -1e9;

    private record NormWeights(Tensor weight, Tensor bias) {}

    private record Block(String name, NormWeights attentionNorm, NormWeights mlpNorm, Tensor qNorm, Tensor kNorm) {}

    /// @param parameters by the names and shapes of [DecoderLayout]; taken over
    public Decoder(DecoderConfig config, Parameters parameters) {
        this(config, parameters, null, tables(config, parameters), true, config.vocabularySize(), null);
    }

    /// The same for the ids of a tokenizer.
    ///
    /// @throws IllegalArgumentException if it has more ids than the embedding has rows
    public Decoder(DecoderConfig config, Parameters parameters, Tokenizer tokenizer) {
        requireRows(config, tokenizer);
        this(
                config,
                parameters,
                null,
                tables(config, parameters),
                true,
                tokenizer.vocabularySize(),
                absent(tokenizer, parameters.flat()));
    }

    private Decoder(
            DecoderConfig config,
            Parameters parameters,
            Lora adapter,
            RotaryEmbedding rotary,
            boolean owner,
            int vocabulary,
            Tensor absent) {
        this.vocabulary = vocabulary;
        this.absent = absent;
        this.config = config;
        this.parameters = parameters;
        this.adapter = adapter;
        this.rotary = rotary;
        this.owner = owner;
        for (int i = 0; i < config.layers(); i++) {
            String name = "layers." + i + ".";
            blocks.add(new Block(
                    name,
                    norm(name + "attentionNorm"),
                    norm(name + "mlpNorm"),
                    config.qkNorm() ? parameters.get(name + "attention.qNorm.weight") : null,
                    config.qkNorm() ? parameters.get(name + "attention.kNorm.weight") : null));
        }
    }

    private static void requireRows(DecoderConfig config, Tokenizer tokenizer) {
        int ids = tokenizer.vocabularySize();
        if (ids > config.vocabularySize()) {
            throw new IllegalArgumentException(
                    "the tokenizer has " + ids + " ids, but the embedding only " + config.vocabularySize() + " rows");
        }
    }

    private static Tensor absent(Tokenizer tokenizer, Tensor like) {
        double[] bias = IntStream.range(0, tokenizer.vocabularySize())
                .mapToDouble(id -> tokenizer.hasToken(id) ? 0 : ABSENT)
                .toArray();
        return Arrays.stream(bias).anyMatch(b -> b != 0) ? bias(bias, like) : null;
    }

    private static Tensor bias(double[] values, Tensor like) {
        try (Scope _ = new Scope()) {
            return Tensor.of(values).to(like.dtype()).to(like.device()).plus(0).unscoped();
        }
    }

    private static RotaryEmbedding tables(DecoderConfig config, Parameters parameters) {
        return config.positions() instanceof Positions.Rotary r
                ? RotaryEmbedding.of(
                        r,
                        config.maxPositions(),
                        parameters.flat().dtype(),
                        parameters.flat().device())
                : null;
    }

    /// A decoder with random weights: normal with standard deviation 0.02, those that write to the residual stream
    /// divided by √(2 layers) (GPT-2's rule); norms 1, biases 0.
    public static Decoder random(DecoderConfig config, Rng rng, Device device) {
        return random(config, 0.02, rng, device);
    }

    /// The same with another standard deviation. A narrow decoder learns sooner from about `1/√hiddenSize`: GPT-2's
    /// 0.02 is meant for a width of some thousands.
    public static Decoder random(DecoderConfig config, double standardDeviation, Rng rng, Device device) {
        Parameters parameters = Parameters.zeros(DecoderLayout.shapes(config), DType.FLOAT32, device);
        try (Scope _ = new Scope()) {
            parameters.named().forEach((name, tensor) -> {
                if (tensor.dim() == 2) {
                    boolean residual = name.endsWith("output.weight") || name.endsWith("down.weight");
                    double deviation = standardDeviation / (residual ? Math.sqrt(2.0 * config.layers()) : 1);
                    InPlace.copy_(tensor, InPlace.times_(rng.normal(tensor.shape()), deviation));
                } else if (name.endsWith("weight")) {
                    InPlace.fill_(tensor, 1);
                }
            });
        }
        return new Decoder(config, parameters);
    }

    public DecoderConfig config() {
        return config;
    }

    public Parameters parameters() {
        return parameters;
    }

    public Device device() {
        return parameters.flat().device();
    }

    /// A frozen copy of the weights, without any adapter, in memory of its own: such as the reference of a fully
    /// trained policy.
    public Decoder copy() {
        Parameters copied = parameters.copy();
        Tensor masked = absent == null ? null : bias(absent.to(DType.FLOAT64).toDoubles(), absent);
        return new Decoder(config, copied, null, tables(config, copied), true, vocabulary, masked);
    }

    /// The same weights with low-rank adapters on top; the weights stay shared.
    public Decoder withAdapter(Lora lora) {
        return new Decoder(config, parameters, lora, rotary, false, vocabulary, absent);
    }

    /// The same weights with the adapter off: the reference of an adapted policy, at no cost in memory.
    public Decoder withoutAdapter() {
        return new Decoder(config, parameters, null, rotary, false, vocabulary, absent);
    }

    /// V: the ids that logits are of.
    public int vocabularySize() {
        return vocabulary;
    }

    /// The matrix that turns hidden states into logits: `[V, H]`, a leaf where the parameters are to learn.
    public Tensor head() {
        Tensor whole = parameters.get(config.tiedHead() ? "embedding.weight" : "head.weight");
        if (vocabulary == config.vocabularySize()) {
            return whole;
        }
        Tensor head = whole.detach().narrow(0, 0, vocabulary); // the rows beyond get neither logit nor gradient
        if (whole.hasGradientGraph()) {
            if (whole.grad() == null) {
                whole.setGrad(whole.detach().zerosLike());
            }
            head.requiresGrad().setGrad(whole.grad().narrow(0, 0, vocabulary));
        }
        return head;
    }

    /// What is added to the logits, `[V]`: 0, and so little for ids without a token that they have no probability;
    /// null where there are none.
    public Tensor absent() {
        return absent;
    }

    /// Logits `[N, V]` of hidden states `[N, H]`.
    public Tensor logits(Tensor hidden) {
        Tensor logits = linear(hidden, head(), null);
        return absent == null ? logits : logits.plus(absent);
    }

    /// The hidden states of right-padded sequences. Causality makes a padding mask needless: no token sees what
    /// follows it.
    ///
    /// @param tokens `[B, T]` int64, T at most maxPositions
    /// @return `[B * T, H]`, after the last norm
    /// @throws IllegalArgumentException if T exceeds maxPositions
    public Tensor hidden(Tensor tokens) {
        long length = tokens.size(1);
        requireFits(length);
        Tensor x = embedded(tokens, rotary == null ? Creation.arange(0, length, device()) : null);
        return run(x, tokens.size(0), length, rotary == null ? null : rotary.narrow(0, length), null, null);
    }

    /// The hidden states of the next tokens of every row of a cache, which then holds them too.
    ///
    /// @param tokens `[B, T]` int64
    /// @return `[B * T, H]`, after the last norm
    /// @throws IllegalArgumentException if a row would exceed maxPositions
    /// @throws IllegalStateException if the cache is too small for them
    public Tensor hidden(Tensor tokens, KvCache cache) {
        long batch = tokens.size(0);
        long length = tokens.size(1);
        requireFits(cache.longest() + length);
        Tensor positions = cache.isAligned() ? null : cache.positions(length, device());
        RotaryEmbedding turn = null;
        Tensor x;
        if (rotary != null) {
            turn = positions == null ? rotary.narrow(cache.filled(), length) : rotary.at(positions, batch, length);
            x = embedded(tokens, null);
        } else {
            x = embedded(
                    tokens,
                    positions == null ? Creation.arange(cache.filled(), cache.filled() + length, device()) : positions);
        }
        Tensor hidden = run(x, batch, length, turn, cache, cache.mask(length, device()));
        cache.advance(length);
        return hidden;
    }

    /// An empty cache.
    ///
    /// @param capacity the columns it can hold
    /// @param starts   the column at which each row begins `[B]` int64, or null when all begin at 0
    /// @throws IllegalArgumentException if no row could ever use the last column
    public KvCache cache(long batch, int capacity, Tensor starts) {
        requireFits(
                starts == null
                        ? capacity
                        : capacity - Arrays.stream(starts.toLongs()).max().orElse(0));
        return new KvCache(config, batch, capacity, starts, parameters.flat().dtype(), device());
    }

    private void requireFits(long length) {
        if (length > config.maxPositions()) {
            throw new IllegalArgumentException("a sequence of " + length + " tokens does not fit the model's "
                    + config.maxPositions() + " positions");
        }
    }

    private Tensor embedded(Tensor tokens, Tensor positions) {
        Tensor x = embedding(parameters.get("embedding.weight"), tokens); // [B, T, H]
        if (positions != null) {
            Tensor learned = embedding(parameters.get("positions.weight"), positions);
            x = x.plus(positions.numel() == tokens.numel() ? learned.view(x.shape()) : learned);
        }
        return x.reshape(tokens.numel(), config.hiddenSize());
    }

    private Tensor run(Tensor x, long batch, long length, RotaryEmbedding turn, KvCache cache, Tensor mask) {
        for (int layer = 0; layer < blocks.size(); layer++) {
            Block block = blocks.get(layer);
            Tensor read = normed(x, block.attentionNorm());
            Tensor attended = attend(read, block, layer, batch, length, turn, cache, mask);
            if (config.parallelResidual()) {
                x = x.plus(attended).plus(mlp(normed(x, block.mlpNorm()), block));
            } else {
                x = x.plus(attended);
                x = x.plus(mlp(normed(x, block.mlpNorm()), block));
            }
        }
        return normed(x, norm("norm"));
    }

    private Tensor attend(
            Tensor x,
            Block block,
            int layer,
            long batch,
            long length,
            RotaryEmbedding turn,
            KvCache cache,
            Tensor mask) {
        int heads = config.heads();
        int kvHeads = config.kvHeads();
        Tensor qkv =
                project(x, block.name() + "attention.qkv").view(batch, length, heads + 2L * kvHeads, config.headSize());
        Tensor q;
        Tensor k;
        Tensor v;
        if (config.qkNorm() || turn == null) {
            Tensor[] parts = Shapes.split(qkv, 2, heads, kvHeads, kvHeads);
            q = block.qNorm() == null ? parts[0] : rmsNorm(parts[0], block.qNorm(), config.normEpsilon());
            k = block.kNorm() == null ? parts[1] : rmsNorm(parts[1], block.kNorm(), config.normEpsilon());
            q = turn == null ? q : turn.turn(q);
            k = turn == null ? k : turn.turn(k);
            v = parts[2];
        } else {
            Tensor[] parts = Shapes.split(qkv, 2, heads + kvHeads, kvHeads);
            Tensor[] turned = Shapes.split(turn.turn(parts[0]), 2, heads, kvHeads); // queries and keys turn together
            q = turned[0];
            k = turned[1];
            v = parts[1];
        }
        q = Shapes.transpose(q, 1, 2); // [B, heads, T, headSize]
        k = Shapes.transpose(k, 1, 2);
        v = Shapes.transpose(v, 1, 2);
        boolean causal = mask == null && length > 1;
        if (cache != null) {
            cache.append(layer, k, v);
            k = cache.keys(layer, cache.filled() + length);
            v = cache.values(layer, cache.filled() + length);
        }
        Tensor out;
        if (length == 1 && heads != kvHeads) {
            // One query a head: the heads of a group stand in for positions, and no key is repeated.
            out = attention(q.reshape(batch, kvHeads, heads / kvHeads, config.headSize()), k, v, mask, false);
        } else {
            out = attention(q, k, v, mask, causal);
        }
        Tensor joined = Shapes.transpose(out.reshape(batch, heads, length, config.headSize()), 1, 2)
                .reshape(batch * length, (long) heads * config.headSize());
        return project(joined, block.name() + "attention.output");
    }

    private Tensor mlp(Tensor x, Block block) {
        Tensor inner =
                switch (config.mlp()) {
                    case GATED_SILU -> {
                        Tensor[] parts = Shapes.split(
                                project(x, block.name() + "mlp.gateUp"),
                                1,
                                config.intermediateSize(),
                                config.intermediateSize());
                        yield Functional.silu(parts[0]).times(parts[1]);
                    }
                    case GELU -> Functional.gelu(project(x, block.name() + "mlp.up"), false);
                    case GELU_TANH -> Functional.gelu(project(x, block.name() + "mlp.up"), true);
                };
        return project(inner, block.name() + "mlp.down");
    }

    private Tensor project(Tensor x, String name) {
        Tensor y =
                linear(x, parameters.get(name + ".weight"), parameters.named().get(name + ".bias"));
        return adapter == null ? y : adapter.apply(name + ".weight", x, y);
    }

    private Tensor normed(Tensor x, NormWeights norm) {
        return switch (config.norm()) {
            case RMS -> rmsNorm(x, norm.weight(), config.normEpsilon());
            case LAYER -> layerNorm(x, norm.weight(), norm.bias(), config.normEpsilon());
        };
    }

    private NormWeights norm(String name) {
        return new NormWeights(
                parameters.get(name + ".weight"), parameters.named().get(name + ".bias"));
    }

    @Override
    public void close() {
        if (owner) {
            parameters.close();
            if (absent != null) {
                absent.close();
            }
            if (rotary != null) {
                rotary.close();
            }
        }
    }
}
