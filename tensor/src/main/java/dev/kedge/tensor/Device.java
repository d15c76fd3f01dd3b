package dev.kedge.tensor;

import org.bytedeco.pytorch.global.torch;

/// Where a tensor lives: `cpu`, `cuda` or `cuda:1`.
///
/// @param name what the engine calls it
public record Device(String name) {
    public static final Device CPU = new Device("cpu");

    /// @throws IllegalArgumentException if the name is another, or no such device answers
    public Device {
        if (name == null || !name.matches("cpu|cuda(:\\d+)?")) {
            throw new IllegalArgumentException("device must be cpu, cuda or cuda:N, was " + name);
        }
        if (name.startsWith("cuda")) {
            if (!cudaIsAvailable()) {
                throw new IllegalArgumentException("device " + name
                        + ": no CUDA device is visible to this build; build with -Pcuda on a machine that has one");
            }
            int colon = name.indexOf(':');
            if (colon > 0
                    && (name.length() > colon + 4
                            || Integer.parseInt(name.substring(colon + 1)) >= torch.getNumGPUs())) {
                throw new IllegalArgumentException(
                        "device " + name + ": the CUDA devices here are cuda:0 to cuda:" + (torch.getNumGPUs() - 1));
            }
        }
    }

    /// Whether the natives were built for CUDA and a device answers.
    public static boolean cudaIsAvailable() {
        Natives.ready();
        return torch.hasCUDA() && torch.getNumGPUs() > 0;
    }

    /// Whether this is the processor itself.
    public boolean isCpu() {
        return name.equals("cpu");
    }

    @Override
    public String toString() {
        return name;
    }
}
