package dev.kedge.lab.plot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.IntStream;

/// A curve of a line plot.
///
/// @param raw measured values behind a smoothed curve, drawn faintly; empty where `y` itself is what was measured
public record Line(String name, double[] x, double[] y, double[] raw) {
    private static final int SHORT = 40;
    private static final int DRAWN = 500;

    public Line {
        if (x.length != y.length || raw.length != 0 && raw.length != x.length) {
            throw new IllegalArgumentException("the curve '" + name + "' has " + x.length + " positions, " + y.length
                    + " values and " + raw.length + " raw values");
        }
    }

    /// The measured curve itself.
    public static Line plain(String name, double[] x, double[] y) {
        return new Line(name, x, y, new double[0]);
    }

    /// The measured curve, faint, under its average over both sides with exponentially falling weights, whose memory
    /// is a thirtieth of the curve; unlike a running average it does not lag behind. A short or a smooth curve
    /// stays as it is. Non-finite values stay gaps and do not enter the average. Long curves are thinned to what a
    /// screen can show, keeping the extremes.
    public static Line smoothed(String name, double[] x, double[] y) {
        if (x.length < SHORT) {
            return plain(name, x, y);
        }
        var kept = thinned(y);
        if (!rough(y)) {
            return plain(name, pick(x, kept), pick(y, kept));
        }
        var average = average(y, Math.max(2, y.length / 30.0));
        return new Line(name, pick(x, kept), pick(average, kept), pick(y, kept));
    }

    /// Whether neighbours differ by noise, beyond what the curve's own course explains: smoothing a schedule or a
    /// running maximum would only bend it. Noise is everywhere, so the sharpest bends do not count: a schedule that
    /// starts anew has a few.
    private static boolean rough(double[] y) {
        double low = Double.POSITIVE_INFINITY;
        double high = Double.NEGATIVE_INFINITY;
        var bends = new ArrayList<Double>();
        for (int i = 1; i + 1 < y.length; i++) {
            double bend = Math.abs(y[i] - (y[i - 1] + y[i + 1]) / 2);
            if (Double.isFinite(bend)) {
                bends.add(bend);
                low = Math.min(low, y[i]);
                high = Math.max(high, y[i]);
            }
        }
        double typical = bends.stream()
                .sorted()
                .limit(bends.size() * 3L / 4)
                .mapToDouble(Double::doubleValue)
                .average()
                .orElse(0);
        return typical > 0.004 * (high - low);
    }

    private static double[] average(double[] y, double memory) {
        double decay = 1 - 1 / memory;
        var sums = new double[y.length];
        var weights = new double[y.length];
        addFading(y, decay, 0, 1, sums, weights);
        addFading(y, decay, y.length - 1, -1, sums, weights);
        var average = new double[y.length];
        for (int i = 0; i < y.length; i++) {
            // Both directions counted the point itself.
            average[i] = Double.isFinite(y[i]) ? (sums[i] - y[i]) / (weights[i] - 1) : Double.NaN;
        }
        return average;
    }

    private static void addFading(double[] y, double decay, int start, int direction, double[] sums, double[] weights) {
        double sum = 0;
        double weight = 0;
        for (int i = start; i >= 0 && i < y.length; i += direction) {
            sum *= decay;
            weight *= decay;
            if (Double.isFinite(y[i])) {
                sum += y[i];
                weight += 1;
            }
            sums[i] += sum;
            weights[i] += weight;
        }
    }

    /// Indices in order: of each of `DRAWN / 2` stretches the lowest and the highest value, and every gap's first.
    private static int[] thinned(double[] y) {
        int n = y.length;
        if (n <= DRAWN) {
            return range(0, n);
        }
        var kept = new TreeSet<Integer>(List.of(0, n - 1));
        int stretches = DRAWN / 2;
        for (int s = 0; s < stretches; s++) {
            int from = (int) ((long) n * s / stretches);
            int to = (int) ((long) n * (s + 1) / stretches);
            int lowest = from;
            int highest = from;
            for (int i = from; i < to; i++) {
                if (!Double.isFinite(y[i])) {
                    kept.add(i);
                    break;
                }
                lowest = y[i] < y[lowest] ? i : lowest;
                highest = y[i] > y[highest] ? i : highest;
            }
            kept.add(lowest);
            kept.add(highest);
        }
        return kept.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int[] range(int from, int to) {
        return IntStream.range(from, to).toArray();
    }

    private static double[] pick(double[] values, int[] kept) {
        return Arrays.stream(kept).mapToDouble(i -> values[i]).toArray();
    }
}
