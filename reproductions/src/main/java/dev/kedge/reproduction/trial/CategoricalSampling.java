package dev.kedge.reproduction.trial;

import java.util.SplittableRandom;

/// Draws from a finite set of outcomes.
public final class CategoricalSampling {
    private CategoricalSampling() {}

    /// An outcome by its probability, from one uniform draw: the same draw gives nearby distributions the same outcome.
    ///
    /// @param probabilities adding up to 1 but for rounding; outcomes of probability 0 are never drawn
    public static int draw(double[] probabilities, SplittableRandom random) {
        double left = random.nextDouble();
        int last = 0;
        for (int y = 0; y < probabilities.length; y++) {
            if (probabilities[y] > 0) {
                last = y;
                left -= probabilities[y];
                if (left < 0) {
                    break;
                }
            }
        }
        return last;
    }
}
