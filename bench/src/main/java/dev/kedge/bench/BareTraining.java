package dev.kedge.bench;

import dev.kedge.nn.lm.DecoderConfig;
import dev.kedge.nn.lm.DecoderConfig.Positions.Rotary;
import dev.kedge.nn.lm.DecoderLayout;
import java.util.HashMap;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.BoolOptional;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.DoubleOptional;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorArrayRefOptional;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.Type;
import org.bytedeco.pytorch.global.torch;

/// The same step as [TrainingLoop] on the bare binding: the same operators in the same order, the memory held by the
/// binding's own scopes. The difference in time is what the facade costs.
final class BareTraining implements AutoCloseable {
    private final DecoderConfig config;
    private final int batch;
    private final int length;
    private final Map<String, Tensor> weights = new HashMap<>();
    private final Tensor flat;
    private final Tensor gradient;
    private final Tensor firstMoments;
    private final Tensor secondMoments;
    private final Tensor count;
    private final Tensor tokens;
    private final Tensor targets;
    private final Tensor cosines; // [T, 1, headSize]
    private final Tensor sines;

    BareTraining(Workload workload) {
        config = workload.config();
        batch = workload.batch();
        length = workload.length();
        try (var source = workload.decoder()) {
            flat = floats(
                    source.parameters().flat().toFloats(), source.parameters().count());
        }
        gradient = torch.zeros_like(flat);
        firstMoments = torch.zeros_like(flat);
        secondMoments = torch.zeros_like(flat);
        count = torch.zeros(new long[0], new TensorOptions(torch.ScalarType.Float));
        tokens = longs(workload.ids(false)).view(batch, length);
        targets = longs(workload.ids(true));
        long offset = 0;
        for (var entry : DecoderLayout.shapes(config).entrySet()) {
            long[] shape = entry.getValue();
            long size = java.util.Arrays.stream(shape).reduce(1, Math::multiplyExact);
            Tensor window = flat.narrow(0, offset, size).view(shape).detach();
            window.set_requires_grad(true);
            window.mutable_grad()
                    .put(gradient.narrow(0, offset, size).view(shape).detach());
            weights.put(entry.getKey(), window);
            offset += size;
        }
        int size = config.headSize();
        float[] cos = new float[length * size];
        float[] sin = new float[length * size];
        for (int at = 0; at < cos.length; at++) {
            int pair = at % size % (size / 2);
            double angle = at / size * Math.pow(((Rotary) config.positions()).theta(), -2.0 * pair / size);
            cos[at] = (float) Math.cos(angle);
            sin[at] = (float) (at % size < size / 2 ? -Math.sin(angle) : Math.sin(angle));
        }
        cosines = floats(cos, length, 1, size);
        sines = floats(sin, length, 1, size);
    }

    private static Tensor floats(float[] values, long... shape) {
        try (FloatPointer data = new FloatPointer(values);
                Tensor view = torch.from_blob(data, shape, new TensorOptions(torch.ScalarType.Float))) {
            return view.clone();
        }
    }

    private static Tensor longs(long[] values) {
        try (LongPointer data = new LongPointer(values);
                Tensor view =
                        torch.from_blob(data, new long[] {values.length}, new TensorOptions(torch.ScalarType.Long))) {
            return view.clone();
        }
    }

    /// @return the loss before the step
    double step() {
        try (PointerScope _ = new PointerScope()) {
            double loss = crossEntropyBackward(hidden(), weights.get("embedding.weight"));
            double norm = gradient.norm().item_double();
            if (norm > 1) {
                gradient.mul_(new Scalar(1 / norm));
            }
            optimize();
            return loss;
        }
    }

    private Tensor hidden() {
        Tensor x = torch.embedding(weights.get("embedding.weight"), tokens)
                .reshape((long) batch * length, config.hiddenSize());
        Tensor cos = cosines.narrow(0, 0, length);
        Tensor sin = sines.narrow(0, 0, length);
        for (int n = 0; n < config.layers(); n++) {
            String layer = "layers." + n + ".";
            x = x.add(attention(norm(x, layer + "attentionNorm"), layer, cos, sin));
            Tensor inner = linear(norm(x, layer + "mlpNorm"), layer + "mlp.gateUp");
            TensorVector parts =
                    torch.split(inner, new long[] {config.intermediateSize(), config.intermediateSize()}, 1);
            x = x.add(linear(torch.silu(parts.get(0)).mul(parts.get(1)), layer + "mlp.down"));
        }
        return norm(x, "norm");
    }

    private Tensor attention(Tensor x, String layer, Tensor cos, Tensor sin) {
        int heads = config.heads();
        int kvHeads = config.kvHeads();
        Tensor qkv = linear(x, layer + "attention.qkv").view(batch, length, heads + 2L * kvHeads, config.headSize());
        TensorVector parts = torch.split(qkv, new long[] {heads + kvHeads, kvHeads}, 2);
        Tensor plain = parts.get(0);
        Tensor turned = plain.mul(cos).addcmul(plain.roll(new long[] {config.headSize() / 2}, 3), sin);
        TensorVector both = torch.split(turned, new long[] {heads, kvHeads}, 2);
        Tensor out = torch.scaled_dot_product_attention(
                both.get(0).transpose(1, 2),
                both.get(1).transpose(1, 2),
                parts.get(1).transpose(1, 2),
                new TensorOptional(),
                0.0,
                true,
                new DoubleOptional(),
                heads != kvHeads);
        Tensor joined = out.reshape(batch, heads, length, config.headSize())
                .transpose(1, 2)
                .reshape((long) batch * length, (long) heads * config.headSize());
        return linear(joined, layer + "attention.output");
    }

    private Tensor linear(Tensor x, String name) {
        return torch.linear(x, weights.get(name + ".weight"));
    }

    private Tensor norm(Tensor x, String name) {
        return torch.rms_norm(
                x,
                new long[] {config.hiddenSize()},
                new TensorOptional(weights.get(name + ".weight")),
                new DoubleOptional(config.normEpsilon()));
    }

    private double crossEntropyBackward(Tensor hidden, Tensor head) {
        long n = targets.numel();
        long rows = Math.clamp((1L << 22) / config.vocabularySize(), 16, 1024);
        Tensor total = torch.zeros(new long[0], new TensorOptions(torch.ScalarType.Float));
        Tensor hiddenGradient = torch.zeros_like(hidden.detach());
        try (AutoGradMode _ = new AutoGradMode(false)) {
            for (long from = 0; from < n; from += rows) {
                try (PointerScope _ = new PointerScope()) {
                    chunk(hidden, head, hiddenGradient, total, from, Math.min(rows, n - from));
                }
            }
        }
        hidden.backward(hiddenGradient, new BoolOptional(), false, new TensorArrayRefOptional());
        return total.item_double();
    }

    private void chunk(Tensor hidden, Tensor head, Tensor hiddenGradient, Tensor total, long from, long rows) {
        Tensor x = hidden.narrow(0, from, rows);
        Tensor chosen = targets.narrow(0, from, rows).unsqueeze(1);
        Tensor logits = x.matmul(head.t());
        Tensor normalizers = logits.logsumexp(-1);
        Tensor logProbs = logits.gather(1, chosen).squeeze(1).sub(normalizers);
        total.add_(logProbs.sum(), new Scalar(-1.0 / targets.numel()));
        Tensor column = torch.full(
                        new long[] {rows},
                        new Scalar(-1.0 / targets.numel()),
                        new TensorOptions(torch.ScalarType.Float))
                .unsqueeze(1);
        Tensor slope = logits.sub_(normalizers.unsqueeze(1)).exp_().mul_(column.neg());
        slope.scatter_add_(1, chosen, column);
        hiddenGradient.narrow(0, from, rows).addmm_(slope, head);
        head.grad().addmm_(slope.t(), x);
    }

    private void optimize() {
        count.add_(new Scalar(1));
        IValueVector stack = new IValueVector();
        for (Tensor tensor : new Tensor[] {flat, gradient, firstMoments, secondMoments, null, count}) {
            GenericList list = new GenericList(new Type.TypePtr(TensorType.get()));
            if (tensor != null) {
                list.push_back(new IValue(tensor));
            }
            stack.push_back(new IValue(list));
        }
        for (double value : new double[] {TrainingLoop.LEARNING_RATE, 0.9, 0.999, 0, 1e-8}) {
            stack.push_back(new IValue(value));
        }
        stack.push_back(new IValue(false)); // amsgrad
        stack.push_back(new IValue(false)); // maximize
        stack.push_back(new IValue()); // grad_scale
        stack.push_back(new IValue()); // found_inf
        try (AutoGradMode _ = new AutoGradMode(false)) {
            Dispatcher.singleton().findSchemaOrThrow("aten::_fused_adamw_", "").callBoxed(stack);
        }
        gradient.zero_();
    }

    @Override
    public void close() {
        weights.values().forEach(Tensor::close);
        for (Tensor tensor : new Tensor[] {flat, gradient, firstMoments, secondMoments, count, tokens, targets}) {
            tensor.close();
        }
        cosines.close();
        sines.close();
    }
}
