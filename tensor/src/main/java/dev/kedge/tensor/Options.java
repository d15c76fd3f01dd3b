package dev.kedge.tensor;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.TensorOptions;

/// What LibTorch is told when it makes a tensor: one object for each type and device, kept for good.
record Options(DType dtype, String device) {
    private static final Map<Options, TensorOptions> MADE = new ConcurrentHashMap<>();

    static TensorOptions of(DType dtype, Device device) {
        return MADE.computeIfAbsent(new Options(dtype, device.name()), Options::make);
    }

    private TensorOptions make() {
        try (var d = new org.bytedeco.pytorch.Device(device);
                var wanted = new DeviceOptional(d);
                var type = new ScalarTypeOptional(dtype.scalarType);
                var plain = new TensorOptions();
                var typed = plain.dtype(type)) {
            return typed.device(wanted);
        }
    }
}
