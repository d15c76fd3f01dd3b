package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {
    @ParameterizedTest
    @ValueSource(strings = {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "mps", "cpu:0"})
    void badDevicesAreRefused(String name) {
        String message = assertThrows(IllegalArgumentException.class, () -> new Device(name))
                .getMessage();
        assertEquals("device must be cpu, cuda or cuda:N, was " + name, message);
    }

    @Test
    void cudaWithoutCudaIsRefusedInOneLine() {
        if (Device.cudaIsAvailable()) {
            assertThrows(IllegalArgumentException.class, () -> new Device("cuda:99999999999"));
            return;
        }
        for (String name : List.of("cuda", "cuda:0", "cuda:7")) {
            String message = assertThrows(IllegalArgumentException.class, () -> new Device(name))
                    .getMessage();
            assertTrue(message.startsWith("device " + name + ": no CUDA device"), message);
            assertEquals(1, message.lines().count());
        }
    }

    @Test
    void theProcessorIsADevice() {
        assertEquals(Device.CPU, new Device("cpu"));
        assertTrue(Device.CPU.isCpu());
        try (Tensor here = Tensor.of(1)) {
            assertEquals(Device.CPU, here.device());
        }
        assertFalse(Device.CPU.toString().isEmpty());
        assertThrows(IllegalArgumentException.class, () -> new Device(null));
        assertThrows(IllegalArgumentException.class, () -> Engine.useThreads(0));
        assertTrue(Engine.threads() >= 1);
        assertTrue(Engine.configuration().contains("PyTorch"));
    }
}
