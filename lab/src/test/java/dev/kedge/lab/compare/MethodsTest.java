package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.lab.tabular.Bandit;
import dev.kedge.recipe.run.ConfigException;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MethodsTest {
    static List<Method> methods() {
        return Methods.all();
    }

    @Test
    void namesAreToldApartAndFound() {
        Set<String> names = new HashSet<>();
        for (var method : methods()) {
            assertTrue(names.add(method.name()), method.name());
            assertEquals(method.name(), Methods.named(method.name()).name());
        }
        var e = assertThrows(ConfigException.class, () -> Methods.named("dpoo"));
        assertTrue(
                e.getMessage().startsWith("no method `dpoo`; did you mean `dpo`? valid here: `dpo`, "), e.getMessage());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void strengthsGoFromHoldingMostToHoldingLeast(Method method) {
        double[] strengths = method.strengths();
        assertEquals(8, strengths.length);
        for (int i = 1; i < strengths.length; i++) {
            assertTrue(strengths[i] < strengths[i - 1] && strengths[i] > 0, method.name());
        }
    }

    /// Every method learns something on an easy task at a middle strength, and the same thing every time.
    @ParameterizedTest
    @MethodSource("methods")
    void learnsAndRepeats(Method method) {
        var task = Bandit.random(2, 6, 3);
        double strength = method.strengths()[3];
        double[][] policy = method.training().policy(task, strength, 1);
        var standing = task.standing(policy);
        assertTrue(standing.reward() > task.standing(task.logRef()).reward() + 0.05, method.name());
        assertTrue(standing.kl() > 0.001, method.name());
        assertArrayEquals(policy[1], method.training().policy(task, strength, 1)[1]);
    }

    @Test
    void aMethodNeedsANameAndStrengths() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new Method("DPO", "", "β", new double[] {1}, (task, _, _) -> task.logRef()));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Method("dpo", "", "β", new double[0], (task, _, _) -> task.logRef()));
    }
}
