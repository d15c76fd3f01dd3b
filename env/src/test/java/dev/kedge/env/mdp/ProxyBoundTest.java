package dev.kedge.env.mdp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class ProxyBoundTest {
    private static final double[][] REF = {{0.7, 0.2, 0.1}};
    private static final double[][] PROXY = {{0, 1, 2}};

    /// Worked numbers: three actions in one state.
    @Test
    void worked() {
        var bound = ProxyBound.of(
                new Occupancy(new double[][] {{0.2, 0.3, 0.5}}),
                new Occupancy(REF),
                new double[][] {{0, 1, 0.5}},
                PROXY);
        assertEquals(0.40311289, bound.rewardDeviation(), 5e-9);
        assertEquals(0.66332496, bound.proxyDeviation(), 5e-9);
        assertEquals(0.74795759, bound.correlation(), 5e-9);
        assertEquals(2.00714286, bound.chiSquared(), 5e-9);
        assertEquals(0.44027963, bound.strength(), 5e-9);
        assertEquals(0.74420841, bound.gain(), 5e-9);
        assertEquals(0.55677890, bound.promised(), 5e-9);
        assertEquals(0.67623969, bound.objective(), 5e-9);
    }

    @Property(tries = 200)
    void noPolicyWinsLessThanPromised(@ForAll long seed) {
        Mdp mdp = Garnet.mdp(5, 2, 2, 0.9, seed);
        double[][] proxy = Garnet.rewards(5, 2, seed + 1);
        for (int s = 0; s < 5; s++) { // a mixture, so that most correlations are above 0
            for (int a = 0; a < 2; a++) {
                proxy[s][a] += 2 * mdp.reward()[s][a];
            }
        }
        Occupancy policy = Occupancy.discounted(mdp, Garnet.policy(5, 2, seed + 2), 1e-12);
        Occupancy ref = Occupancy.discounted(mdp, Garnet.policy(5, 2, seed + 3), 1e-12);
        var bound = ProxyBound.of(policy, ref, mdp.reward(), proxy);
        assertTrue(bound.correlation() <= 0 || bound.gain() >= bound.promised() - 1e-10, bound.toString());
    }

    /// The residual of the proxy parallel to `μ_π/μ_ref - 1`: the bound is met.
    @Test
    void theBoundIsSharp() {
        double[][] reward = new double[1][3];
        double[] ratio = {0.2 / 0.7, 0.3 / 0.2, 0.5 / 0.1};
        // Given the standardised proxy z and the direction u = ratio - 1 with E_ref[u] = 0, take the truth
        // r·z - sqrt(1 - r²)·e with e the unit vector along u less its part along z, and a policy along e and z.
        double meanProxy = 0.4;
        double deviation = Math.sqrt(0.44);
        double along = 0;
        double[] z = new double[3];
        for (int a = 0; a < 3; a++) {
            z[a] = (PROXY[0][a] - meanProxy) / deviation;
            along += REF[0][a] * z[a] * (ratio[a] - 1);
        }
        double[] e = new double[3];
        double norm = 0;
        for (int a = 0; a < 3; a++) {
            e[a] = ratio[a] - 1 - along * z[a];
            norm += REF[0][a] * e[a] * e[a];
        }
        double r = 0.6;
        for (int a = 0; a < 3; a++) {
            reward[0][a] = r * z[a] - 0.8 * e[a] / Math.sqrt(norm);
        }
        // The residual of the proxy on the truth is (1 - r²)·z + r·0.8·e = 0.8·(0.8·z + 0.6·e): the policy goes there.
        double[][] mass = new double[1][3];
        for (int a = 0; a < 3; a++) {
            mass[0][a] = REF[0][a] * (1 + 0.1 * (0.8 * z[a] + 0.6 * e[a] / Math.sqrt(norm)));
        }
        var bound = ProxyBound.of(new Occupancy(mass), new Occupancy(REF), reward, PROXY);
        assertEquals(0.6, bound.correlation(), 1e-14);
        assertEquals(bound.promised(), bound.gain(), 1e-14);
    }

    @Test
    void aConstantProxyHasNoCorrelation() {
        assertThrows(
                IllegalArgumentException.class,
                () -> ProxyBound.of(new Occupancy(REF), new Occupancy(REF), PROXY, new double[1][3]));
    }
}
