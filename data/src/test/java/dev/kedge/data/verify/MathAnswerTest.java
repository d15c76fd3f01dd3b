package dev.kedge.data.verify;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MathAnswerTest {
    private static double reward(String reference, String answer) {
        return new Boxed().reward(new Question("", reference), "Thus $\\boxed{" + answer + "}$.");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\\frac{1}{2} ~ \\dfrac12",
                "\\frac{1}{2} ~ 1/2",
                "\\frac{1}{2} ~ 0.5",
                "\\frac{1}{2} ~ .50",
                "\\frac{1}{2} ~ \\tfrac 12",
                "\\frac{1}{2} ~ \\frac{2}{4}",
                "-\\frac{1}{2} ~ \\frac{-1}{2}",
                "-\\frac{1}{2} ~ \\frac{1}{-2}",
                "\\frac{270}7\\text{ degrees} ~ \\frac{270}{7}^\\circ",
                "137 \\frac{1}{2} ~ 137.5",
                "137\\frac12 ~ 275/2",
                "1\\frac{4}{5} ~ 1 4/5",
                "11,\\! 111,\\! 111,\\! 100 ~ 11111111100",
                "10,\\!080 ~ 10,080",
                "10{,}080 ~ 10\\,080",
                "1,234.5 ~ 1234.50",
                "\\$32,\\!348 ~ 32348",
                "\\$18.90 ~ 18.9 \\text{ dollars}",
                "5.4 \\text{ cents} ~ 5.4",
                "15\\mbox{ cm}^2 ~ 15",
                "864 \\mbox{ inches}^2 ~ 864 \\text{ square inches}",
                "40\\text{ feet} ~ 40 ft",
                "14\\text{ right triangles} ~ 14",
                "90^\\circ ~ 90",
                "90^{\\circ} ~ 90 \\degree",
                "15\\% ~ 15",
                "15\\% ~ 0.15",
                "0.15 ~ 15\\%",
                "x=5 ~ 5",
                "5 ~ x = 5",
                "y = 2x + 3 ~ 3+2x",
                "f(x) = x^2 ~ x^2",
                "x \\in [-2,7] ~ [-2, 7]",
                "\\left( 3, \\frac{\\pi}{2} \\right) ~ (3,\\pi/2)",
                "\\left[-3,-\\frac{4}{3}\\right) ~ [-3, -4/3)",
                "(0,9) \\cup (9,36) ~ (9, 36)\\cup(0, 9)",
                "(-\\infty, 2) \\cup (3, \\infty) ~ (-\\infty,2)\\cup(3,+\\infty)",
                "1,-2 ~ -2, 1",
                "3, 5, 7 ~ 7, 5 \\text{ and } 3",
                "3, 5, 7 ~ \\{3,5,7\\}",
                "x=1 \\text{ or } x=-2 ~ -2,1",
                "\\{1\\pm\\sqrt{5},-2\\} ~ -2, 1-\\sqrt5, 1+\\sqrt5",
                "1 \\pm \\sqrt{19} ~ 1 + \\sqrt{19}, 1 - \\sqrt{19}",
                "6 - 5i ~ -5i+6",
                "\\frac{3\\sqrt{3}}{4} ~ \\frac34 \\sqrt 3",
                "\\frac{\\sqrt{3}}{3} ~ \\sqrt{3}/3",
                "11\\sqrt2 ~ 11 \\cdot \\sqrt{2}",
                "(a+5)(b+2) ~ (2+b)(5+a)",
                "5x - 7y + 11z + 4 = 0 ~ 4+5x-7y+11z=0",
                "x > 3 ~ 3 < x",
                "\\begin{pmatrix} -1/3 \\\\ 2/3 \\end{pmatrix} ~ \\begin{bmatrix}-\\frac13\\\\\\frac23\\end{bmatrix}",
                "\\text{Evelyn} ~ evelyn",
                "\\text{(C)} ~ C",
                "\\text{(C)} ~ (C)",
                "\\text{A,B} ~ B, A",
                ".0000672 ~ 6.72 \\times 10^{-5}",
                "4210_{5} ~ 4210_5",
                "4\\!:\\!51 \\text{ p.m.} ~ 4:51 p.m.",
                "\\sqrt[3]{4} ~ \\sqrt[3] 4",
                "2\\pi ~ 2π",
                "-3 ~ −3",
                "5. ~ 5",
            })
    void equal(String reference, String answer) {
        assertEquals(1, reward(reference, answer), MathAnswer.read(reference) + " " + MathAnswer.read(answer));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "\\frac{1}{2} ~ \\frac{2}{1}",
                "\\frac{1}{3} ~ 0.333",
                "\\frac{1}{2} ~ -\\frac{1}{2}",
                "\\frac{1}{23} ~ \\frac12 3",
                "1\\frac{4}{5} ~ \\frac{4}{5}",
                "1\\frac{4}{5} ~ \\frac{14}{5}",
                "10,\\!080 ~ 10, 80",
                "(1,234) ~ 1234",
                "(1,2) ~ (2,1)",
                "(1,2) ~ [1,2]",
                "(3,4] ~ [3,4)",
                "(3,4] ~ 3,4",
                "1,2 ~ 1,2,3",
                "1,2 ~ 1",
                "1,1 ~ 1",
                "(0,9) \\cup (9,36) ~ (0,36)",
                "15\\% ~ 1.5",
                "15\\% ~ 0.15\\%",
                "0.15 ~ 15",
                "5\\text{ cm} ~ 5\\text{ m}",
                "5\\text{ cm}^2 ~ 5\\text{ cm}^3",
                "5.4\\text{ cents} ~ \\$5.4",
                "x=5 ~ y=5",
                "x=1, y=2 ~ x=2, y=1",
                "x > 3 ~ x < 3",
                "x > 3 ~ x \\ge 3",
                "x > 3 ~ 3",
                "2 ~ 1+1",
                "2 ~ \\sqrt{4}",
                "6 ~ 2 \\cdot 3",
                "8 ~ 2^3",
                "2^3 ~ 3^2",
                "x^2 ~ x",
                "x^2 ~ 2x",
                "x_2 ~ 2x",
                "52_8 ~ 52",
                "52_8 ~ 52_9",
                "6-5i ~ 6+5i",
                "6-5i ~ 5-6i",
                "\\sin x \\cos y ~ \\sin y \\cos x",
                "\\sin 2x ~ 2 \\sin x",
                "\\sqrt{3} ~ \\sqrt[3]{3}",
                "\\sqrt{3}+1 ~ \\sqrt{3+1}",
                "\\frac{a}{b} ~ \\frac{b}{a}",
                "a-b ~ b-a",
                "1 \\pm \\sqrt{19} ~ 1 + \\sqrt{19}",
                "\\text{east} ~ \\text{seat}",
                "\\text{even} ~ \\text{odd}",
                "\\text{(C)} ~ D",
                "\\text{Evelyn} ~ 5",
                "5 ~ 5xyz",
                "5 ~ 5x",
                "5 ~ \\text{five hundred}",
                "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix} ~ \\begin{pmatrix} 1 & 2 \\end{pmatrix}",
                "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix} ~ \\begin{pmatrix} 2 \\\\ 1 \\end{pmatrix}",
                "4:51 ~ 4:52",
                "\\infty ~ -\\infty",
                "12 ~ 1 2",
                "0 ~ \\frac{0}{0}",
                "5 ~ 4 \\text{ or } 5",
                "5 ~ 5 \\text{ million}",
                "5 ~ \\text{not } 5",
                "5 ~ \\text{at least } 5",
                "5 ~ {}",
                "5 ~ \\,",
            })
    void different(String reference, String answer) {
        assertEquals(0, reward(reference, answer), MathAnswer.read(reference) + " " + MathAnswer.read(answer));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '~',
            quoteCharacter = '`',
            value = {
                "first \\boxed{4}, no: \\boxed{5} ~ 1",
                "first \\boxed{5}, no: \\boxed{4} ~ 0",
                "\\boxed{\\frac{10}{2}} ~ 1",
                "\\boxed 5 ~ 1",
                "\\fbox{5} ~ 1",
                "\\boxed{5 ~ 0",
                "\\boxed{5} and \\boxed{ ~ 0",
                "\\boxed{} ~ 0",
                "\\boxed ~ 0",
                "the answer is 5 ~ 0",
            })
    void theLastBoxCounts(String completion, double reward) {
        assertEquals(reward, new Boxed().reward(new Question("", "5"), completion));
    }
}
