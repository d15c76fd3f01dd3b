package dev.kedge.data.verify;

import dev.kedge.data.verify.LatexTokens.Kind;
import dev.kedge.data.verify.LatexTokens.Token;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// What stands inside brackets, and what outside.
final class LatexBrackets {
    private static final Set<String> OPENING = Set.of("(", "[", "{", "set{");
    private static final Set<String> CLOSING = Set.of(")", "]", "}", "}set");

    private LatexBrackets() {}

    static boolean opens(String operator) {
        return OPENING.contains(operator);
    }

    private static boolean closes(String operator) {
        return CLOSING.contains(operator);
    }

    /// Parts between the operators that stand outside all brackets.
    static List<List<Token>> split(List<Token> tokens, Set<String> operators) {
        List<List<Token>> parts = new ArrayList<>();
        int open = 0;
        int from = 0;
        for (int i = 0; i < tokens.size(); i++) {
            Token token = tokens.get(i);
            if (token.kind() != Kind.OPERATOR) {
                continue;
            }
            boolean begins = opens(token.text()) || token.text().startsWith("begin");
            boolean ends = closes(token.text()) || token.text().startsWith("end");
            open += begins ? 1 : ends ? -1 : 0;
            if (open == 0 && operators.contains(token.text())) {
                parts.add(tokens.subList(from, i));
                from = i + 1;
            }
        }
        parts.add(tokens.subList(from, tokens.size()));
        return parts;
    }

    /// Where the bracket that opens at `open` closes; an interval may close with another kind than it opens with.
    static int close(List<Token> tokens, int open) {
        int depth = 0;
        for (int i = open; i < tokens.size(); i++) {
            if (tokens.get(i).kind() == Kind.OPERATOR) {
                depth += opens(tokens.get(i).text()) ? 1 : closes(tokens.get(i).text()) ? -1 : 0;
                if (depth == 0) {
                    return i;
                }
            }
        }
        throw new MathAnswer.Unread();
    }
}
