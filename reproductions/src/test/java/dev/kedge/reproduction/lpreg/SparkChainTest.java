package dev.kedge.reproduction.lpreg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.reproduction.lpreg.SparkChain.Evaluation;
import dev.kedge.reproduction.lpreg.SparkChain.Method;
import dev.kedge.tensor.Scope;
import org.junit.jupiter.api.Test;

class SparkChainTest {
    private static final double RATE = 0.02;

    @Test
    void withoutAShareNothingIsPulled() {
        Evaluation[] plain = SparkChain.learn(new Method.Plain(), RATE, 3);
        long live = Scope.liveTensors();
        assertArrayEquals(plain, SparkChain.learn(new Method.LowProbability(true, 0, 1), RATE, 3));
        assertArrayEquals(plain, SparkChain.learn(new Method.EntropyBonus(0), RATE, 3));
        assertEquals(live, Scope.liveTensors());
    }

    /// Accuracy is 0.6 for the plain answer, 0.95 after a spark at best.
    @Test
    void theProxyOfTheStartKeepsTheSpark() {
        Evaluation plain = SparkChain.learn(new Method.Plain(), RATE, 3)[99];
        Evaluation kept = SparkChain.learn(new Method.LowProbability(true, 0.1, 1), RATE, 3)[99];
        assertTrue(plain.spark() < 0.01, plain.toString());
        assertTrue(kept.spark() > 2 * plain.spark(), kept.toString());
        assertTrue(kept.accuracy() < 0.95 && kept.noise() > 0, kept.toString());
    }
}
