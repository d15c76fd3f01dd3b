package dev.kedge.task;

import dev.kedge.data.Tokenized;
import dev.kedge.data.TokenizedPair;
import dev.kedge.env.PreferenceOracle;
import dev.kedge.env.PreferenceOracle.Duel;
import dev.kedge.nn.lm.Decoder;
import dev.kedge.nn.lm.Generator;
import dev.kedge.nn.lm.Generator.Completion;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.IntStream;

/// How preferences come about: a model answers a prompt twice, and a judge's label is drawn.
public final class LabelledAnswers {
    private LabelledAnswers() {}

    /// Two independent answers of a model to each prompt.
    public static List<Duel> of(Decoder model, List<int[]> prompts, ArithmeticTask sums, long seed) {
        List<Completion> answers = Generator.generate(model, prompts, sums.sampling(2, seed, false), null);
        return IntStream.range(0, prompts.size())
                .mapToObj(i -> new Duel(
                        prompts.get(i),
                        answers.get(2 * i).tokens(),
                        answers.get(2 * i + 1).tokens()))
                .toList();
    }

    /// The duels with one label each: the chosen answer is drawn by the judge's preference.
    public static List<TokenizedPair> labelled(List<Duel> duels, PreferenceOracle judge, RandomGenerator random) {
        double[] wins = judge.firstWins(duels);
        List<TokenizedPair> pairs = new ArrayList<>();
        for (int i = 0; i < wins.length; i++) {
            Duel d = random.nextDouble() < wins[i] ? duels.get(i) : duels.get(i).swapped();
            pairs.add(new TokenizedPair(
                    Tokenized.ofReply(d.prompt(), d.first()),
                    Tokenized.ofReply(d.prompt(), d.second()),
                    d.prompt().length));
        }
        return pairs;
    }
}
