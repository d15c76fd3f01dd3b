package dev.kedge.run.result;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.kedge.run.result.Frontier.Arm;
import dev.kedge.run.result.Frontier.Point;
import dev.kedge.statistics.Bootstrap;
import dev.kedge.statistics.Estimate;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class FrontierTest {
    private static final Bootstrap BOOTSTRAP = new Bootstrap(2000, 0.95, 1);

    private static Frontier seed(double shift) {
        var points =
                List.of(new Point(1 + shift, Estimate.of(2 * shift), "β 1"), Point.of(5, shift == 3 ? Double.NaN : 1));
        return new Frontier("t", "x", "y", List.of(new Arm("a", points)), List.of(Point.of(shift, 4 * shift)));
    }

    @Test
    void theMeanOverSeedsIsTakenPointByPoint() {
        var mean =
                Frontier.mean(IntStream.range(0, 5).mapToObj(FrontierTest::seed).toList(), BOOTSTRAP);
        var first = mean.arms().getFirst().points().getFirst();
        assertEquals(3, first.x(), 1e-15);
        assertEquals(BOOTSTRAP.bca(new double[] {0, 2, 4, 6, 8}), first.y());
        assertEquals("β 1", first.label());
        assertEquals(List.of(Point.of(2, 8)), mean.optimum());
        assertEquals(
                List.of("t", "x", "y", "a"),
                List.of(mean.title(), mean.x(), mean.y(), mean.arms().getFirst().name()));
    }

    @Test
    void aPointThatDivergedInOneSeedIsNotInTheMean() {
        var mean =
                Frontier.mean(IntStream.range(0, 5).mapToObj(FrontierTest::seed).toList(), BOOTSTRAP);
        assertTrue(Double.isNaN(mean.arms().getFirst().points().getLast().y().value()));
    }

    @Test
    void oneSeedHasNoInterval() {
        var point = Frontier.mean(List.of(seed(1)), BOOTSTRAP)
                .arms()
                .getFirst()
                .points()
                .getFirst();
        assertFalse(point.y().hasInterval());
        assertEquals(2, point.y().value());
    }

    @Test
    void jsonGivesItBack() throws JsonProcessingException {
        var frontier = new Frontier(
                "t",
                "x",
                "y",
                List.of(new Arm("a", List.of(new Point(1, new Estimate(2, 1, 3), "β 1"), Point.of(Double.NaN, 0.1)))),
                List.of(Point.of(0, Double.NEGATIVE_INFINITY)));
        var mapper = new ObjectMapper();
        var text = mapper.writeValueAsString(SummaryJson.write(frontier));
        assertEquals(frontier, SummaryJson.read(mapper.readTree(text), "f"));
        assertEquals(frontier, SummaryJson.read(SummaryJson.write(frontier), "f"));
    }
}
