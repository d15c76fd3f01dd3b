package dev.kedge.bench;

import dev.kedge.tensor.Creation;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// Calls on four numbers, each result freed at once.
@State(org.openjdk.jmh.annotations.Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
public class Call {
    private Tensor a;
    private Tensor b;
    private org.bytedeco.pytorch.Tensor bareA;
    private org.bytedeco.pytorch.Tensor bareB;

    @Setup(Level.Trial)
    public void open() {
        a = Creation.ones(DType.FLOAT32, Device.CPU, 4);
        b = Creation.ones(DType.FLOAT32, Device.CPU, 4);
        bareA = torch.ones(4);
        bareB = torch.ones(4);
    }

    @TearDown(Level.Trial)
    public void close() {
        a.close();
        b.close();
        bareA.close();
        bareB.close();
    }

    @Benchmark
    public void facadePlus() {
        a.plus(b).close();
    }

    @Benchmark
    public void barePlus() {
        bareA.add(bareB).close();
    }

    @Benchmark
    public void facadeTimesNumber() {
        a.times(0.5).close();
    }

    @Benchmark
    public void bareTimesNumber() {
        try (Scalar scalar = new Scalar(0.5)) {
            bareA.mul(scalar).close();
        }
    }

    @Benchmark
    public void facadePlusInScope() {
        try (Scope _ = new Scope()) {
            a.plus(b);
        }
    }

    @Benchmark
    public void facadePlusWithoutGradients() {
        try (var _ = Gradients.off()) {
            a.plus(b).close();
        }
    }

    @Benchmark
    public void scope() {
        new Scope().close();
    }
}
