package dev.kedge.tensor;

import java.util.Arrays;
import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.TensorType;
import org.bytedeco.pytorch.Type;

/// Kernels that LibTorch registers and the binding does not map, called by name through its dispatcher.
public final class Fused {
    private Fused() {}

    /// Looked up at the first call, when some tensor has made sure that the natives are loaded; kept for good.
    private static final class AdamW {
        static final OperatorHandle OPERATOR = Dispatcher.singleton().findSchemaOrThrow("aten::_fused_adamw_", "");
        static final Type.TypePtr TENSOR = new Type.TypePtr(TensorType.get());
    }

    /// One step of AdamW (Loshchilov and Hutter 2017, arXiv:1711.05101, Algorithm 2) in place, in one pass over memory.
    /// All tensors have one shape and type.
    ///
    /// @param parameters contiguous, as the three after it
    /// @param step a float32 scalar tensor: the number of this step, from 1
    public static void adamW_(
            Tensor parameters,
            Tensor gradients,
            Tensor firstMoments,
            Tensor secondMoments,
            Tensor step,
            double learningRate,
            double beta1,
            double beta2,
            double weightDecay,
            double epsilon) {
        try (IValueVector stack = new IValueVector()) {
            requireAlike(parameters, gradients, firstMoments, secondMoments);
            step.handle("adamW_");
            push(stack, list(parameters));
            push(stack, list(gradients));
            push(stack, list(firstMoments));
            push(stack, list(secondMoments));
            push(stack, list());
            push(stack, list(step));
            push(stack, new IValue(learningRate));
            push(stack, new IValue(beta1));
            push(stack, new IValue(beta2));
            push(stack, new IValue(weightDecay));
            push(stack, new IValue(epsilon));
            push(stack, new IValue(false)); // amsgrad
            push(stack, new IValue(false)); // maximize
            push(stack, new IValue()); // grad_scale
            push(stack, new IValue()); // found_inf
            AdamW.OPERATOR.callBoxed(stack);
        } catch (RuntimeException e) {
            throw Op.failure("adamW_", e, parameters, gradients, firstMoments, secondMoments, step);
        }
    }

    /// The kernel walks the memory of all four by the length of the first and checks nothing.
    private static void requireAlike(Tensor... tensors) {
        boolean alike = true;
        for (Tensor tensor : tensors) {
            alike &= tensor.handle("adamW_").is_contiguous()
                    && tensor.dtype() == tensors[0].dtype()
                    && Arrays.equals(tensor.shape(), tensors[0].shape());
        }
        if (!alike) {
            throw new IllegalArgumentException("shapes and types must be the same, memory contiguous");
        }
    }

    private static IValue list(Tensor... tensors) {
        try (GenericList list = new GenericList(AdamW.TENSOR)) {
            for (Tensor tensor : tensors) {
                try (IValue value = new IValue(tensor.handle("adamW_"))) {
                    list.push_back(value);
                }
            }
            return new IValue(list);
        }
    }

    private static void push(IValueVector stack, IValue value) {
        try (value) {
            stack.push_back(value);
        }
    }
}
