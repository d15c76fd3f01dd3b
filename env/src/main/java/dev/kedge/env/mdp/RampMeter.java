package dev.kedge.env.mdp;

import dev.kedge.tensor.Streams;
import java.util.Arrays;
import java.util.SplittableRandom;

/// A signal that lets cars from a ramp join a main road, and a proxy that sees the main road only (after
/// arXiv:2403.03185; equations and numbers are our own and small).
///
/// A state is the cars on the stretch of main road at the merge, 0 to [#ROAD]; those that wait on the ramp, 0 to
/// [#RAMP]; and the demand, off the peak or in it, which changes with probability [#CHANGE] a step. The signal lets
/// 0, 1 or 2 cars go in a step. Cars drive at full speed while there are at most [#FREE] on the stretch, and slower
/// in proportion from there, to a tenth at [#ROAD]; `cars·speed/2` of them leave in a step, rounded at random, so
/// that most leave at [#FREE] and a few more jam the road. Two cars may come along the road and one to the ramp; who
/// finds the road or the ramp full has to drive elsewhere.
///
/// Both rewards are for a step, some ten seconds. The truth is -1/10 of the cars on road and ramp, which by Little's
/// law orders policies as the mean time of a journey does, and of [#ELSEWHERE] for each car that has to drive
/// elsewhere. The proxy is the mean speed on the main road, 1 where all drive freely.
///
/// @param off  the probability of each of the two cars along the road off the peak, in [0, 1]
/// @param peak the same in the peak
/// @param ramp the probability of a car at the ramp, in [0, 1]
public record RampMeter(double off, double peak, double ramp) {
    public static final int ROAD = 12;
    public static final int RAMP = 8;
    public static final int FREE = 5;
    public static final double CHANGE = 0.05;
    public static final double ELSEWHERE = 10;

    /// Cars let go: 0 to 2.
    public static final int ACTIONS = 3;

    public RampMeter {
        for (double p : new double[] {off, peak, ramp}) {
            if (!(p >= 0 && p <= 1)) {
                throw new IllegalArgumentException(
                        "off, peak and ramp are probabilities, were " + off + ", " + peak + " and " + ramp);
            }
        }
    }

    /// Some place: 0.6 to 0.8 cars a step off the peak and 1.7 to 1.9 in it, 0.4 to 0.6 at the ramp.
    public static RampMeter place(long seed) {
        var random = new SplittableRandom(Streams.of(seed, "place"));
        return new RampMeter(random.nextDouble(0.3, 0.4), random.nextDouble(0.85, 0.95), random.nextDouble(0.4, 0.6));
    }

    private static int state(int road, int ramp, int demand) {
        return (road * (RAMP + 1) + ramp) * 2 + demand;
    }

    private static int road(int state) {
        return state / 2 / (RAMP + 1);
    }

    private static int ramp(int state) {
        return state / 2 % (RAMP + 1);
    }

    /// As a share of full speed.
    static double speed(int cars) {
        return cars <= FREE ? 1 : 1 - 0.9 * (cars - FREE) / (ROAD - FREE);
    }

    /// What may happen in a step: to a state, with so many cars that have to drive elsewhere.
    @FunctionalInterface
    private interface Case {
        void of(int next, double probability, int elsewhere);
    }

    private void cases(int state, int action, Case to) {
        int demand = state % 2;
        int go = Math.min(action, ramp(state));
        double along = demand == 1 ? peak : off;
        double leaving = road(state) * speed(road(state)) / 2;
        Levels.round(road(state) - leaving, ROAD + 1, (left, pLeft) -> {
            for (int cars = 0; cars <= 2; cars++) {
                double pCars =
                        cars == 0 ? (1 - along) * (1 - along) : cars == 1 ? 2 * along * (1 - along) : along * along;
                for (int waiting = 0; waiting <= 1; waiting++) {
                    double p = pLeft * pCars * (waiting == 1 ? ramp : 1 - ramp);
                    int road = left + cars + go;
                    int queue = ramp(state) - go + waiting;
                    int elsewhere = Math.max(0, road - ROAD) + Math.max(0, queue - RAMP);
                    int next = state(Math.min(road, ROAD), Math.min(queue, RAMP), demand);
                    to.of(next, p * (1 - CHANGE), elsewhere);
                    to.of(next ^ 1, p * CHANGE, elsewhere);
                }
            }
        });
    }

    /// The process; it starts empty, off the peak.
    public ProxyTask task() {
        int states = (ROAD + 1) * (RAMP + 1) * 2;
        var transitions = Transitions.of(states, ACTIONS, (s, a, row) -> cases(s, a, (next, p, _) -> row.add(next, p)));
        double[][] proxy = new double[states][ACTIONS];
        double[][] reward = new double[states][ACTIONS];
        for (int s = 0; s < states; s++) {
            for (int a = 0; a < ACTIONS; a++) {
                double[] elsewhere = new double[1];
                cases(s, a, (_, p, cars) -> elsewhere[0] += p * cars);
                proxy[s][a] = speed(road(s));
                reward[s][a] = -(road(s) + ramp(s) + ELSEWHERE * elsewhere[0]) / 10;
            }
        }
        return new ProxyTask(transitions, reward, proxy, Mdp.startAt(0, states));
    }

    /// A signal of fixed time: a car goes in every step, whatever the road looks like; one decision out of five is a
    /// uniformly random one.
    public static MdpPolicy reference() {
        int[] go = new int[(ROAD + 1) * (RAMP + 1) * 2];
        Arrays.fill(go, 1);
        return MdpPolicy.deterministic(go, ACTIONS).mixedWith(MdpPolicy.uniform(go.length, ACTIONS), 0.2);
    }
}
