package dev.kedge.env;

import java.util.List;
import java.util.function.ToIntBiFunction;

/// A judge who sees only which class an answer belongs to, and lets the classes play a game.
///
/// @param game    whose actions are the classes
/// @param classOf from prompt and answer, as token ids, to an action of the game
public record ClassGameOracle(PreferenceGame game, ToIntBiFunction<int[], int[]> classOf) implements PreferenceOracle {
    /// Classes by the first token: answers that begin with `tokens[k]` are action k; all others, the empty one too,
    /// are one more action, which loses to every other.
    ///
    /// @param game   with one action for each token
    /// @param tokens distinct token ids
    /// @throws IllegalArgumentException if their number is not that of the actions
    public static ClassGameOracle byFirstToken(PreferenceGame game, int... tokens) {
        if (tokens.length != game.actions()) {
            throw new IllegalArgumentException(
                    tokens.length + " first tokens for a game of " + game.actions() + " actions");
        }
        int[] kinds = tokens.clone();
        return new ClassGameOracle(game.withOutsider(), (_, answer) -> {
            int kind = 0;
            while (kind < kinds.length && (answer.length == 0 || answer[0] != kinds[kind])) {
                kind++;
            }
            return kind;
        });
    }

    /// @throws IllegalArgumentException naming the pair, if the class of one of its answers is no action
    @Override
    public double[] firstWins(List<AnswerPair> pairs) {
        double[] wins = new double[pairs.size()];
        for (int i = 0; i < wins.length; i++) {
            AnswerPair pair = pairs.get(i);
            wins[i] = game.winProbability(
                    actionOf(i, pair.prompt(), pair.first()), actionOf(i, pair.prompt(), pair.second()));
        }
        return wins;
    }

    private int actionOf(int pair, int[] prompt, int[] answer) {
        int action = classOf.applyAsInt(prompt, answer);
        if (action < 0 || action >= game.actions()) {
            throw new IllegalArgumentException("the class of an answer in pair " + pair + " must be in [0, "
                    + game.actions() + "), was " + action);
        }
        return action;
    }
}
