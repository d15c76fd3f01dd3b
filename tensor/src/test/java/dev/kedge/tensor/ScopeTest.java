package dev.kedge.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ScopeTest {
    private long before;

    @BeforeEach
    void count() {
        before = Scope.liveTensors();
    }

    @AfterEach
    void nothingIsLeft() {
        assertEquals(before, Scope.liveTensors());
    }

    private static Throwable onAnotherThread(Runnable task) {
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                task.run();
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        thread.start();
        try {
            thread.join();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        return thrown.get();
    }

    @Test
    void aScopeFreesWhatWasMadeInIt() {
        Tensor inside;
        try (Scope _ = new Scope()) {
            inside = Tensor.of(1, 2).plus(1);
            assertEquals(before + 2, Scope.liveTensors());
        }
        assertFalse(inside.isOpen());
    }

    @Test
    void withoutAScopeTensorsLiveUntilClosed() {
        Tensor alone = Tensor.of(1);
        assertTrue(alone.isOpen());
        alone.close();
        alone.close();
        assertFalse(alone.isOpen());
    }

    @Test
    void aNestedScopeFreesItsOwnOnly() {
        try (Scope _ = new Scope()) {
            Tensor outer = Tensor.of(1);
            Tensor inner;
            try (Scope _ = new Scope()) {
                inner = outer.plus(1);
            }
            assertTrue(outer.isOpen());
            assertFalse(inner.isOpen());
        }
    }

    @Test
    void keepMovesToTheScopeAround() {
        Tensor kept;
        try (Scope _ = new Scope()) {
            try (Scope inner = new Scope()) {
                kept = Tensor.of(1);
                assertSame(kept, inner.keep(kept));
            }
            assertTrue(kept.isOpen());
        }
        assertFalse(kept.isOpen());
    }

    @Test
    void keepThroughTwoScopesReachesTheCaller() {
        Tensor kept;
        try (Scope outer = new Scope()) {
            try (Scope inner = new Scope()) {
                kept = outer.keep(inner.keep(Tensor.of(7)));
            }
        }
        assertEquals(7, kept.item());
        kept.close();
    }

    @Test
    void keepLeavesTheTensorsOfOtherScopesAlone() {
        Tensor outerOne;
        try (Scope _ = new Scope()) {
            outerOne = Tensor.of(1);
            try (Scope inner = new Scope()) {
                inner.keep(outerOne);
            }
            assertTrue(outerOne.isOpen());
        }
        assertFalse(outerOne.isOpen());
    }

    @Test
    void keepRefusesWhatIsClosed() {
        Scope scope = new Scope();
        Tensor closed = Tensor.of(1);
        closed.close();
        assertTrue(assertThrows(IllegalStateException.class, () -> scope.keep(closed))
                .getMessage()
                .contains("keep"));
        scope.close();
        try (Tensor open = Tensor.of(1)) {
            assertThrows(IllegalStateException.class, () -> scope.keep(open));
        }
    }

    @Test
    void anUnscopedTensorOutlivesItsScope() {
        Tensor parameter;
        try (Scope _ = new Scope()) {
            parameter = Tensor.of(3).unscoped();
        }
        assertEquals(3, parameter.item());
        parameter.close();
    }

    @Test
    void closingTwiceDoesNothing() {
        Scope scope = new Scope();
        Tensor tensor = Tensor.of(1);
        tensor.close();
        scope.close();
        scope.close();
        Scope next = new Scope();
        scope.close(); // and does not disturb the scope that is open by now
        Tensor inNext = Tensor.of(1);
        next.close();
        assertFalse(inNext.isOpen());
    }

    @Test
    void closingOutOfOrderIsRefusedAndHarmless() {
        Scope outer = new Scope();
        Scope inner = new Scope();
        Tensor tensor = Tensor.of(1);
        assertThrows(IllegalStateException.class, outer::close);
        assertTrue(tensor.isOpen());
        inner.close();
        outer.close();
        assertFalse(tensor.isOpen());
    }

    @Test
    void closingOnAnotherThreadIsRefused() {
        try (Scope scope = new Scope()) {
            Throwable thrown = onAnotherThread(scope::close);
            assertTrue(thrown instanceof IllegalStateException, String.valueOf(thrown));
            assertTrue(thrown.getMessage().contains(Thread.currentThread().getName()), thrown.getMessage());
        }
    }

    @Test
    void scopesOfThreadsAreApart() {
        AtomicReference<Tensor> made = new AtomicReference<>();
        try (Scope _ = new Scope()) {
            Tensor here = Tensor.of(2);
            assertEquals(null, onAnotherThread(() -> made.set(here.times(2))));
        }
        assertEquals(4, made.get().item()); // belongs to whoever made it
        made.get().close();
    }

    @Test
    void aLongScopeForgetsWhatIsClosedAndStillFreesTheRest() {
        Tensor first;
        Tensor last;
        try (Scope _ = new Scope()) {
            first = Tensor.of(1);
            for (int i = 0; i < 10_000; i++) {
                first.plus(1).close();
            }
            last = Tensor.of(2);
            assertEquals(before + 2, Scope.liveTensors());
        }
        assertFalse(first.isOpen());
        assertFalse(last.isOpen());
    }

    @Test
    void methodsOfSeveralStepsLeaveOnlyTheirResult() {
        try (Tensor x = Tensor.of(-1, 0, 1);
                Tensor mask = Tensor.mask(new boolean[] {true, false, true}, 3)) {
            long start = Scope.liveTensors();
            Functional.softplus(x).close();
            Elementwise.clamp(x, -0.5, 0.5).close();
            x.whereElse(mask, 0).close();
            x.allTrue();
            x.anyTrue();
            for (Tensor part : Ordering.sort(x, 0, true)) {
                part.close();
            }
            for (Tensor part : Shapes.split(x, 0, 1, 2)) {
                part.close();
            }
            assertEquals(start, Scope.liveTensors());
        }
    }

    @Test
    void aFailedOperationLeavesNothing() {
        try (Tensor x = Tensor.of(1, 2);
                Tensor y = Tensor.of(1, 2, 3)) {
            long start = Scope.liveTensors();
            assertThrows(IllegalArgumentException.class, () -> x.plus(y));
            assertThrows(IllegalArgumentException.class, () -> Ordering.sort(x, 4, false));
            assertThrows(IllegalArgumentException.class, () -> Shapes.split(x, 0, 3, 3));
            assertEquals(start, Scope.liveTensors());
        }
    }

    @Test
    void theGradientOutlivesItsLeaf() {
        Tensor leaf = Tensor.of(1, 2).requiresGrad();
        try (Tensor square = leaf.square();
                Tensor sum = square.sum()) {
            sum.backward();
        }
        Tensor gradient = leaf.grad();
        assertNotNull(gradient);
        leaf.close();
        for (int i = 0; i < 1000; i++) { // memory that was freed would be taken by these
            Tensor.of(9, 9).requiresGrad().close();
        }
        assertArrayEquals(new double[] {2, 4}, gradient.toDoubles());
        gradient.close();
    }

    @Test
    void aGuardOfGradientsClosesOnItsThreadOnly() {
        try (Gradients off = Gradients.off();
                Tensor x = Tensor.of(1).requiresGrad();
                Tensor y = x.plus(1)) {
            assertFalse(y.hasGradientGraph());
            assertTrue(onAnotherThread(off::close) instanceof IllegalStateException);
        }
        try (Tensor x = Tensor.of(1).requiresGrad();
                Tensor y = x.plus(1)) {
            assertTrue(y.hasGradientGraph());
        }
    }
}
