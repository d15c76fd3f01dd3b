package dev.kedge.task;

import dev.kedge.nn.lm.Decoder;
import dev.kedge.tensor.DType;
import dev.kedge.tensor.Device;
import dev.kedge.tensor.Gradients;
import dev.kedge.tensor.Scope;
import dev.kedge.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/// Everything that two models can answer to a prompt in a few tokens, by enumeration: no sampling, no error bars.
///
/// An answer is a sequence that ends with the end token or has `depth` tokens without it; answers of up to `depth`
/// tokens form a tree, and by the chain rule the divergence of whole answers is the sum over its nodes of the chance to
/// come there times the divergence of the next token.
public final class AnswerTree {
    private AnswerTree() {}

    /// @param reward probability that the policy gives the right answer
    /// @param kl     `KL(policy || reference)` of whole answers, nats
    public record Exact(double reward, double kl) {}

    /// @param prompts   token ids
    /// @param solutions the right answer of each, end token included, at most `depth` tokens
    /// @param end       the end token
    /// @param depth     1 to 3: nodes grow as V to the power of depth - 1
    public static List<Exact> exact(
            Decoder policy, Decoder reference, List<int[]> prompts, List<int[]> solutions, int end, int depth) {
        List<Exact> all = new ArrayList<>();
        try (var _ = Gradients.off()) {
            for (int i = 0; i < prompts.size(); i++) {
                try (Scope _ = new Scope()) {
                    long[] rows = rows(policy.config().vocabularySize(), prompts.get(i), end, depth);
                    int width = prompts.get(i).length + depth - 1;
                    double[][] p = nextTokens(policy, rows, width, depth);
                    double[][] q = policy == reference ? p : nextTokens(reference, rows, width, depth);
                    all.add(exact(p, q, policy.config().vocabularySize(), solutions.get(i), end, depth));
                }
            }
        }
        return all;
    }

    /// All answers, in the order of [#logProbs]: the end token included where an answer has one.
    public static List<int[]> answers(int vocabulary, int end, int depth) {
        List<int[]> all = new ArrayList<>();
        leaves(vocabulary, end, depth, (level, node, token) -> {
            int[] answer = new int[level + 1];
            answer[level] = token;
            for (int t = level - 1, left = node; t >= 0; t--, left /= vocabulary) {
                answer[t] = left % vocabulary;
            }
            all.add(answer);
        });
        return all;
    }

    /// How likely a model is to give each of [#answers]: nats, one row a prompt; each row's probabilities add up to 1.
    public static double[][] logProbs(Decoder model, List<int[]> prompts, int end, int depth) {
        int vocabulary = model.config().vocabularySize();
        double[][] all = new double[prompts.size()][];
        try (var _ = Gradients.off()) {
            for (int i = 0; i < all.length; i++) {
                try (Scope _ = new Scope()) {
                    long[] rows = rows(vocabulary, prompts.get(i), end, depth);
                    double[][] p = nextTokens(model, rows, prompts.get(i).length + depth - 1, depth);
                    all[i] = whole(p, vocabulary, end, depth);
                }
            }
        }
        return all;
    }

    private static double[] whole(double[][] p, int vocabulary, int end, int depth) {
        double[][] reach = new double[depth + 1][]; // log-probability of coming to each node of a level
        reach[0] = new double[1];
        for (int level = 0; level < depth; level++) {
            reach[level + 1] = new double[p[level].length];
            for (int at = 0; at < p[level].length; at++) {
                reach[level + 1][at] = reach[level][at / vocabulary] + p[level][at];
            }
        }
        List<Double> answers = new ArrayList<>();
        leaves(
                vocabulary,
                end,
                depth,
                (level, node, token) -> answers.add(reach[level + 1][node * vocabulary + token]));
        return answers.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private interface Leaf {
        void visit(int level, int node, int token);
    }

    /// Visits where answers end: below no node that the end token leads to, with the end token or at the last level.
    private static void leaves(int vocabulary, int end, int depth, Leaf leaf) {
        int[] open = {0}; // nodes of the level, without those behind an end
        for (int level = 0; level < depth; level++) {
            List<Integer> next = new ArrayList<>();
            for (int node : open) {
                for (int token = 0; token < vocabulary; token++) {
                    if (token == end || level == depth - 1) {
                        leaf.visit(level, node, token);
                    } else {
                        next.add(node * vocabulary + token);
                    }
                }
            }
            open = next.stream().mapToInt(Integer::intValue).toArray();
        }
    }

    /// The prompt with every run of `depth - 1` further tokens, the end token among them too (what follows it is
    /// unused).
    private static long[] rows(int vocabulary, int[] prompt, int end, int depth) {
        int count = count(vocabulary, depth - 1);
        int width = prompt.length + depth - 1;
        long[] rows = new long[count * width];
        for (int row = 0; row < count; row++) {
            for (int t = 0; t < prompt.length; t++) {
                rows[row * width + t] = prompt[t];
            }
            for (int t = depth - 2, left = row; t >= 0; t--, left /= vocabulary) {
                rows[row * width + prompt.length + t] = left % vocabulary;
            }
        }
        return rows;
    }

    private static int count(int vocabulary, int length) {
        int count = 1;
        for (int i = 0; i < length; i++) {
            count = Math.multiplyExact(count, vocabulary);
        }
        return count;
    }

    /// Log-probabilities of the token at each depth, a level of the tree each: [depth][V^level * V], nodes in order.
    private static double[][] nextTokens(Decoder model, long[] rows, int width, int depth) {
        int vocabulary = model.config().vocabularySize();
        int count = rows.length / width;
        Tensor hidden = model.hidden(Tensor.of(rows, count, width).to(model.device()))
                .view(count, width, model.config().hiddenSize());
        double[][] levels = new double[depth][];
        for (int level = 0; level < depth; level++) {
            int nodes = count(vocabulary, level);
            long[] first = new long[nodes]; // the first of the rows that share a node's tokens
            for (int node = 0; node < nodes; node++) {
                first[node] = (long) node * (count / nodes);
            }
            Tensor states = hidden.select(1, width - depth + level)
                    .indexSelect(0, Tensor.of(first, nodes).to(model.device()));
            levels[level] = model.logits(states)
                    .to(DType.FLOAT64)
                    .logSoftmax(-1)
                    .to(Device.CPU)
                    .toDoubles();
        }
        return levels;
    }

    private static Exact exact(double[][] p, double[][] q, int vocabulary, int[] solution, int end, int depth) {
        double kl = 0;
        double[] reach = {0}; // log-probability of coming to each node of the level
        for (int level = 0; level < depth; level++) {
            double[] next = new double[reach.length * vocabulary];
            for (int node = 0; node < reach.length; node++) {
                double divergence = 0;
                for (int v = 0; v < vocabulary; v++) {
                    int at = node * vocabulary + v;
                    divergence += Math.exp(p[level][at]) * (p[level][at] - q[level][at]);
                    next[at] = v == end ? Double.NEGATIVE_INFINITY : reach[node] + p[level][at];
                }
                kl += Math.exp(reach[node]) * divergence;
            }
            reach = next;
        }
        double right = 0;
        int node = 0;
        for (int level = 0; level < solution.length; level++) {
            right += p[level][node * vocabulary + solution[level]];
            node = node * vocabulary + solution[level];
        }
        return new Exact(Math.exp(right), kl);
    }
}
