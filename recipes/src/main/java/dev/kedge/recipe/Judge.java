package dev.kedge.recipe;

import dev.kedge.env.ClassGameOracle;
import dev.kedge.env.PreferenceGame;

/// Who compares two answers to a sum, as a recipe names it. Each makes classes of answers, so that what a policy is
/// worth before it is exact ([AnswerGame]).
sealed interface Judge {
    /// A judge who knows the sums: the right answer beats any other with probability `σ(scale)`, and wrong ones tie.
    ///
    /// @param scale reward of the right answer over a wrong one, finite and > 0
    record Exact(double scale) implements Judge {
        public Exact {
            if (!(scale > 0 && scale < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("scale must be finite and > 0, was " + scale);
            }
        }
    }

    /// A judge without a reward to go by: numbers fall into three classes by their first digit (0, 3, 6, 9; 1, 4, 7;
    /// 2, 5, 8), and each class beats the next with probability `win`, the last one the first. What is no number
    /// loses to all numbers.
    ///
    /// @param win in (1/2, 1]
    record Game(double win) implements Judge {
        public Game {
            if (!(win > 0.5 && win <= 1)) {
                throw new IllegalArgumentException("win must be in (0.5, 1], was " + win);
            }
        }
    }

    /// The judge of answers to a world's sums.
    default ClassGameOracle of(Sums sums) {
        return switch (this) {
            case Exact(double scale) ->
                new ClassGameOracle(
                        PreferenceGame.bradleyTerry(scale, 0),
                        (prompt, answer) -> sums.isRight(prompt, answer) ? 0 : 1);
            case Game(double win) ->
                new ClassGameOracle(
                        new PreferenceGame(new double[][] {
                                    {0.5, win, 1 - win},
                                    {1 - win, 0.5, win},
                                    {win, 1 - win, 0.5}
                                })
                                .withOutsider(),
                        (_, answer) -> {
                            var number = sums.number(answer);
                            return number.isPresent() ? firstDigit(number.getAsInt()) % 3 : 3;
                        });
        };
    }

    private static int firstDigit(int number) {
        return Integer.toString(number).charAt(0) - '0';
    }
}
