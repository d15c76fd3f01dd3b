package dev.kedge.lab.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.config.ConfigException;
import dev.kedge.lab.compare.ComparedMethod.Aim;
import dev.kedge.lab.compare.ComparisonTask.Arena;
import dev.kedge.lab.tabular.Bandit;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ComparedMethodsTest {
    static List<ComparedMethod> methods() {
        return ComparedMethods.all();
    }

    @Test
    void namesAreToldApartAndFound() {
        Set<String> names = new HashSet<>();
        for (var method : methods()) {
            assertTrue(names.add(method.name()), method.name());
            assertEquals(method.name(), ComparedMethods.named(method.name()).name());
        }
        var e = assertThrows(ConfigException.class, () -> ComparedMethods.named("dpoo"));
        assertTrue(
                e.getMessage().startsWith("no method `dpoo`; did you mean `dpo`? valid here: `dpo`, "), e.getMessage());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void strengthsGoFromHoldingMostToHoldingLeast(ComparedMethod method) {
        double[] strengths = method.strengths();
        assertEquals(8, strengths.length);
        for (int i = 1; i < strengths.length; i++) {
            assertTrue(strengths[i] < strengths[i - 1] && strengths[i] > 0, method.name());
        }
    }

    /// Every method learns something on an easy task at a middle strength, and the same thing every time.
    @ParameterizedTest
    @MethodSource("methods")
    void learnsAndRepeats(ComparedMethod method) {
        var arena = Arena.bradleyTerry(Bandit.random(2, 6, 3));
        double strength = method.strengths()[3];
        double[][] policy = method.training().policy(arena, strength, 1);
        var evaluation = arena.bandit().evaluate(policy);
        double before = arena.bandit().evaluate(arena.logRef()).reward();
        assertTrue(evaluation.reward() > before + 0.05, method.name());
        assertTrue(evaluation.kl() > 0.001, method.name());
        assertArrayEquals(policy[1], method.training().policy(arena, strength, 1)[1]);
    }

    static List<ComparedMethod> players() {
        return ComparedMethods.all().stream()
                .filter(m -> m.isFor(ComparisonTask.GAME))
                .toList();
    }

    /// Of a game a middle strength wins more than half against the reference.
    @ParameterizedTest
    @MethodSource("players")
    void learnsTheGame(ComparedMethod method) {
        var arena = ComparisonTask.GAME.arena(2);
        var evaluation = arena.bandit().evaluate(method.training().policy(arena, method.strengths()[4], 1));
        assertTrue(evaluation.reward() > 0.52, method.name() + " wins " + evaluation.reward());
    }

    @Test
    void allPapersOfPreferencesAreThereOrSayWhyNot() {
        for (var name : List.of("online-dpo", "xpo", "inpo", "egpo", "online-ipo", "nash-md")) {
            assertTrue(ComparedMethods.named(name).isFor(ComparisonTask.GAME), name);
        }
        assertFalse(ComparedMethods.named("adpo").isFor(ComparisonTask.GAME));
        var e = assertThrows(ConfigException.class, () -> ComparedMethods.named("rrpo"));
        assertTrue(e.getMessage().contains("`./kedge reproduce rrpo`"), e.getMessage());
    }

    @Test
    void aMethodNeedsANameAndStrengths() {
        assertThrows(
                IllegalArgumentException.class,
                () -> new ComparedMethod("DPO", "", "β", new double[] {1}, Aim.REWARD, (a, _, _) -> a.logRef()));
        assertThrows(
                IllegalArgumentException.class,
                () -> new ComparedMethod("dpo", "", "β", new double[0], Aim.REWARD, (a, _, _) -> a.logRef()));
    }
}
