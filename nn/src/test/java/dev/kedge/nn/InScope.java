package dev.kedge.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.kedge.tensor.Scope;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/// Opens a scope around each test, and holds that every tensor made inside it is gone after it.
public final class InScope implements BeforeEachCallback, AfterEachCallback {
    private Scope scope;
    private long before;

    @Override
    public void beforeEach(ExtensionContext context) {
        before = Scope.liveTensors();
        scope = new Scope();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        scope.close();
        assertEquals(before, Scope.liveTensors(), "tensors that outlive the test");
    }
}
