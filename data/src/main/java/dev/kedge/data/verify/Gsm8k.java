package dev.kedge.data.verify;

import dev.kedge.config.Kind;
import java.math.BigDecimal;

/// 1 if the completion ends in the reference's number as GSM8K's answers do (Cobbe et al. 2021, arXiv:2110.14168), else
/// 0: the first number after the last `####`, and where there is no such mark the last number of the text.
///
/// `1,080`, `$1080` and `1080.00` are one number. Reference answers may be whole worked solutions or the number alone.
@Kind("gsm8k")
public record Gsm8k() implements Verification, Verifier {
    @Override
    public Verifier verifier() {
        return this;
    }

    @Override
    public double reward(VerifierQuestion question, String completion) {
        BigDecimal right = Extraction.GSM8K.number(question.answer()).orElseThrow(() -> Extraction.noAnswer(question));
        return Extraction.GSM8K
                        .number(completion)
                        .filter(found -> found.compareTo(right) == 0)
                        .isPresent()
                ? 1
                : 0;
    }
}
