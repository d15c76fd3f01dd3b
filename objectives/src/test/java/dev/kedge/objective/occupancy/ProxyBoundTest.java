package dev.kedge.objective.occupancy;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.env.mdp.DifferentiableOccupancy;
import dev.kedge.env.mdp.ProxyBound;
import dev.kedge.objective.CentralDifferences;
import dev.kedge.objective.InScope;
import dev.kedge.tensor.Tensor;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(InScope.class)
class ProxyBoundTest {
    private static Tensor distribution(Random random, int n) {
        return Tensor.of(random.doubles(n, -2, 2).toArray()).softmax(0);
    }

    private static Tensor numbers(Random random, int n) {
        return Tensor.of(random.doubles(n, -1, 1).toArray());
    }

    @Test
    void workedByHand() {
        Tensor ref = Tensor.of(0.7, 0.2, 0.1);
        Tensor policy = Tensor.of(0.2, 0.3, 0.5);
        Tensor proxy = Tensor.of(0, 1, 2);
        ProxyBound bound = ProxyBound.of(policy, ref, Tensor.of(0, 1, 0.5), proxy);
        assertEquals(0.40311289, bound.sigmaTrue().item(), 5e-9);
        assertEquals(0.66332496, bound.sigmaProxy().item(), 5e-9);
        assertEquals(0.74795759, bound.correlation().item(), 5e-9);
        assertEquals(2.00714286, bound.chiSquared().item(), 5e-9);
        assertEquals(0.44027963, bound.lambda().item(), 5e-9);
        assertEquals(0.74420841, bound.gain().item(), 5e-9);
        assertEquals(0.55677890, bound.bound().item(), 5e-9);
        double lambda = bound.lambda().item();
        assertEquals(
                0.67623969, ProxyBound.objective(policy, ref, proxy, lambda).item(), 5e-9);
    }

    @Test
    void theBoundHoldsForEveryPolicyWhereTheProxyCorrelates() {
        var random = new Random(11);
        int held = 0;
        for (int i = 0; i < 200; i++) {
            ProxyBound bound = ProxyBound.of(
                    distribution(random, 6), distribution(random, 6), numbers(random, 6), numbers(random, 6));
            if (bound.correlation().item() > 0) {
                assertTrue(bound.gain().item() >= bound.bound().item() - 1e-12, "draw " + i);
                held++;
            }
        }
        assertTrue(held > 50, "only " + held + " proxies correlated");
    }

    /// A policy that goes after what the proxy has beyond the true reward: its whole gain is false.
    @Test
    void theBoundIsReachedWhereThePolicyFollowsTheResidualOfTheProxy() {
        double[] truth = {1, 1, -1, -1};
        double[] residual = {1, -1, 1, -1}; // uncorrelated with the true reward under the reference
        double[] proxy = new double[4];
        double[] policy = new double[4];
        for (int i = 0; i < 4; i++) {
            proxy[i] = truth[i] + 0.5 * residual[i];
            policy[i] = 0.25 * (1 + 0.4 * residual[i]);
        }
        Tensor ref = Tensor.of(0.25, 0.25, 0.25, 0.25);
        ProxyBound bound = ProxyBound.of(Tensor.of(policy), ref, Tensor.of(truth), Tensor.of(proxy));
        assertEquals(
                0.2,
                DifferentiableOccupancy.expected(Tensor.of(policy), Tensor.of(proxy))
                        .item(),
                1e-15);
        assertEquals(0, bound.gain().item(), 1e-15);
        assertEquals(0, bound.bound().item(), 1e-15);
    }

    @Test
    void atTheReferenceNothingIsGainedAndTheRootHasNoGradient() {
        Tensor ref = Tensor.of(0.7, 0.2, 0.1);
        Tensor policy = Tensor.of(0.7, 0.2, 0.1).requiresGrad();
        Tensor proxy = Tensor.of(0, 1, 2);
        ProxyBound.objective(policy, ref, proxy, 0.44).backward();
        assertArrayEquals(new double[] {0, 1, 2}, policy.grad().toDoubles());
        ProxyBound bound = ProxyBound.of(ref, ref, Tensor.of(0, 1, 0.5), proxy);
        assertEquals(0, bound.gain().item(), 1e-15);
        assertEquals(0, bound.bound().item(), 1e-15);
    }

    @Test
    void gradientsEqualCentralDifferences() {
        Tensor ref = Tensor.of(0.7, 0.2, 0.1);
        double[] logits = {0.3, -0.1, 0.5};
        CentralDifferences.assertGradient(
                logits, x -> ProxyBound.objective(x.softmax(0), ref, Tensor.of(0, 1, 2), 0.3), 1e-9);
        CentralDifferences.assertGradient(
                logits,
                x -> ProxyBound.of(x.softmax(0), ref, Tensor.of(0, 1, 0.5), Tensor.of(0, 1, 2))
                        .bound(),
                1e-9);
    }

    @Test
    void badArgumentsAreRefused() {
        Tensor three = Tensor.of(0.7, 0.2, 0.1);
        Tensor two = Tensor.of(0.5, 0.5);
        assertThrows(IllegalArgumentException.class, () -> ProxyBound.of(three, two, three, three));
        assertThrows(IllegalArgumentException.class, () -> ProxyBound.of(three, three, two, three));
        assertThrows(IllegalArgumentException.class, () -> ProxyBound.objective(three, three, three, -1));
    }
}
