package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ProcessorTest {
    private static final List<String> EPYC = List.of(
            "processor\t: 0",
            "cpu family\t: 26",
            "model\t\t: 2",
            "model name\t: AMD EPYC",
            "flags\t\t: fpu sse sse2 fma avx avx2 avx512f",
            "",
            "processor\t: 1",
            "model name\t: another",
            "flags\t\t: fpu");

    @Test
    void familyAndModelTellGenerationsOfOneNameApart() {
        Processor processor = Processor.of("Linux", "amd64", EPYC);
        assertEquals("AMD EPYC, family 26, model 2", processor.name());
        assertEquals(Optional.empty(), processor.obstacleToAvx2());
    }

    @Test
    void whatHasNoAvx2OrFmaCannotBePortable() {
        List<String> old = List.of("model name : Some Celeron", "flags : fpu sse sse2 avx fma");
        assertEquals(
                Optional.of("portable kernels need Linux on an x86-64 processor with AVX2 and FMA; here is Linux on "
                        + "Some Celeron"),
                Processor.of("Linux", "amd64", old).obstacleToAvx2());
        List<String> withoutFma = List.of("model name : Some VIA", "flags : fpu avx avx2");
        assertEquals(
                true,
                Processor.of("Linux", "amd64", withoutFma).obstacleToAvx2().isPresent());
    }

    @Test
    void neitherCanArmNorAnotherSystem() {
        List<String> arm = List.of("processor : 0", "Features : fp asimd evtstrm", "CPU implementer : 0x41");
        assertEquals(
                Optional.of("portable kernels need Linux on an x86-64 processor with AVX2 and FMA; here is Linux on "
                        + "aarch64"),
                Processor.of("Linux", "aarch64", arm).obstacleToAvx2());
        assertEquals("aarch64", Processor.of("Mac OS X", "aarch64", List.of()).name());
        assertEquals(
                true,
                Processor.of("Windows 11", "amd64", List.of()).obstacleToAvx2().isPresent());
    }
}
