package dev.kedge.lab.plot;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.kedge.run.result.Comparison;
import dev.kedge.run.result.Frontier;
import dev.kedge.statistics.Estimate;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.w3c.dom.Element;
import org.xml.sax.InputSource;

final class PlotTest {
    private static final double[] X = {0, 1, 2, 3};

    @ParameterizedTest
    @ValueSource(ints = {360, 720})
    void everyPlotIsAWellFormedInlinePicture(int width) throws Exception {
        var e = new Estimate(0.4, 0.3, 0.5);
        var point = new Frontier.Point(1, e, "β 0.1");
        var arm = new Frontier.Arm("a <b> & c", List.of(point));
        for (var svg : new String[] {
            Plot.lines("t & t", "step", "", List.of(Line.plain("a<b", X, X), Line.plain("c", X, X)), width),
            Plot.frontier(new Frontier("f", "x", "y", List.of(arm), List.of(Frontier.Point.of(0, 0))), width),
            Plot.bars("b", List.of(new Comparison("q", "%", e, Estimate.of(-0.2))), width),
            Plot.pairs(paired(e), width),
            Plot.pairs(alone(e), width),
            Plot.lines("empty", "step", "", List.of(), width)
        }) {
            var root = root(svg);
            assertEquals("svg", root.getTagName());
            assertTrue(root.getAttribute("viewBox").startsWith("0 0 " + width + " "));
            assertFalse(svg.contains(" id=") || svg.contains("<?xml") || svg.contains("<!DOCTYPE"));
            assertFalse(svg.contains("NaN") || svg.contains("Infinity"), svg);
            insideThePicture(root, width);
        }
    }

    private static PairedSample paired(Estimate effect) {
        var arms = List.of(
                new PairedSample.Arm("forward <KL> & a rather long name for an arm", X),
                new PairedSample.Arm("b", new double[] {-5, 0.4, 2, 2}));
        return new PairedSample(
                "entropy (nats)", arms, OptionalDouble.empty(), new double[] {5, 0.6, 0, 1}, effect, 0.2);
    }

    private static PairedSample alone(Estimate effect) {
        return new PairedSample(
                "gap",
                List.of(new PairedSample.Arm("a", X)),
                OptionalDouble.of(7),
                new double[] {-7, -6, -5, -4},
                effect,
                0);
    }

    /// Two arms of four seeds and their four differences are twelve dots, and the mean one diamond more.
    @Test
    void pairsHaveADotForEachSeedAndArm() throws Exception {
        var e = new Estimate(0.4, 0.3, 0.5);
        assertEquals(13, paths(Plot.pairs(paired(e), 720)).size());
        assertEquals(9, paths(Plot.pairs(alone(e), 720)).size());
        var two = List.of(new PairedSample.Arm("a", X), new PairedSample.Arm("b", X));
        assertThrows(IllegalArgumentException.class, () -> new PairedSample("m", two, OptionalDouble.of(1), X, e, 0));
        assertThrows(
                IllegalArgumentException.class,
                () -> new PairedSample("m", two, OptionalDouble.empty(), new double[3], e, 0));
    }

    @Test
    void whatIsNotFiniteHasNoPlaceInAFrontier() throws Exception {
        var points = List.of(
                Frontier.Point.of(Double.NaN, 1),
                Frontier.Point.of(1, Double.NaN),
                new Frontier.Point(1, new Estimate(1, 0.5, Double.POSITIVE_INFINITY), "β 1"),
                Frontier.Point.of(2, 2));
        var frontier = new Frontier("f", "x", "y", List.of(new Frontier.Arm("a", points)), List.of());
        var svg = Plot.frontier(frontier, 720);
        // One path for the line and a marker for each of the two points.
        assertEquals(3, paths(svg).size());
        insideThePicture(root(svg), 720);
    }

    /// A policy may come back towards its reference as it learns.
    @Test
    void pointsOfAFrontierAreJoinedInTheirOrder() throws Exception {
        var points = List.of(Frontier.Point.of(0, 0), Frontier.Point.of(2, 1), Frontier.Point.of(1, 2));
        var frontier = new Frontier("f", "x", "y", List.of(new Frontier.Arm("a", points)), List.of());
        var xs = coordinates(paths(Plot.frontier(frontier, 720)).getFirst(), 0);
        assertTrue(xs.get(0) < xs.get(2) && xs.get(2) < xs.get(1), "" + xs);
    }

    @Test
    void theOptimumFarFromAllPointsIsNotDrawn() throws Exception {
        var optimum =
                IntStream.range(0, 10).mapToObj(x -> Frontier.Point.of(x, x)).toList();
        var arm = new Frontier.Arm("a", List.of(Frontier.Point.of(1, 0)));
        var path = paths(Plot.frontier(new Frontier("f", "x", "y", List.of(arm), optimum), 720))
                .getFirst();
        assertEquals(3, coordinates(path, 0).size(), "at 0, 1 and 2");
    }

    /// One-to-one: values 0 and 3 lie on the ends of the axis, equal steps are equally far apart.
    @Test
    void pointsLieWhereTheirValuesSay() throws Exception {
        var path = paths(Plot.lines("t", "x", "y", List.of(Line.plain("a", X, X)), 720))
                .getFirst();
        var xs = coordinates(path, 0);
        var ys = coordinates(path, 1);
        assertEquals(4, xs.size());
        for (int i = 1; i < 4; i++) {
            assertEquals(xs.get(1) - xs.get(0), xs.get(i) - xs.get(i - 1), 0.02);
            assertEquals(ys.get(1) - ys.get(0), ys.get(i) - ys.get(i - 1), 0.02);
            assertTrue(ys.get(i) < ys.get(i - 1));
        }
    }

    @Test
    void aValueThatIsNotFiniteInterruptsTheCurve() throws Exception {
        var y = new double[] {0, Double.NaN, 2, Double.POSITIVE_INFINITY};
        var path = paths(Plot.lines("t", "x", "y", List.of(Line.plain("a", X, y)), 720))
                .getFirst();
        assertEquals(2, path.chars().filter(c -> c == 'M').count());
        assertEquals(0, path.chars().filter(c -> c == 'L').count());
    }

    /// A straight line has itself for an average away from its ends, whatever the weights, if they are symmetric.
    @Test
    void smoothingDoesNotLag() {
        var x = new double[400];
        var noisy = new double[400];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            noisy[i] = i + (i % 2 == 0 ? 8 : -8);
        }
        var line = Line.smoothed("a", x, noisy);
        assertArrayEquals(noisy, line.raw());
        // With decay d = 1 - 30 / 400 of the weights on either side, noise of +-8 leaves 8 ((1 - d) / (1 + d))^2.
        for (int i = 195; i < 205; i++) {
            assertEquals(i, line.y()[i], 0.0122);
        }
    }

    @Test
    void aSmoothCurveIsLeftAlone() {
        var x = new double[100];
        var y = new double[100];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            y[i] = 1e-4 * Math.min(1, i / 20.0);
        }
        var line = Line.smoothed("lr", x, y);
        assertArrayEquals(y, line.y());
        assertEquals(0, line.raw().length);
    }

    @Test
    void aScheduleThatStartsAnewIsLeftAlone() {
        var x = new double[480];
        var y = new double[480];
        for (int i = 0; i < x.length; i++) {
            int step = i % 40;
            x[i] = i;
            y[i] = 1e-3 * Math.min((step + 1) / 5.0, (40 - step) / 36.0);
        }
        assertArrayEquals(y, Line.smoothed("lr", x, y).y());
    }

    @Test
    void longCurvesAreThinnedButKeepTheirExtremes() {
        var x = new double[50_000];
        var y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            x[i] = i;
            y[i] = Math.sin(i);
        }
        y[31_417] = 9;
        var line = Line.smoothed("a", x, y);
        assertTrue(line.x().length <= 510, "kept " + line.x().length);
        double highest = 0;
        for (double v : line.raw()) {
            highest = Math.max(highest, v);
        }
        assertEquals(9, highest);
    }

    @Test
    void ticksAreRoundAndReadable() {
        var scale = new Scale(0, 0.0032, 0, 300);
        assertEquals(List.of("0", "0.001", "0.002", "0.003"), labels(scale, 80));
        assertEquals(List.of("0", "50k", "100k"), labels(new Scale(0, 120_000, 0, 300), 120));
        assertEquals(List.of("0", "5e-5", "1e-4"), labels(new Scale(0, 1e-4, 0, 300), 150));
        assertEquals(List.of("\u22122", "0", "2"), labels(new Scale(-2, 2, 0, 100), 45));
    }

    @Test
    void numbersAreRoundedForReading() {
        assertEquals("0.123", Quantity.number(0.12345));
        assertEquals("812\u202f544", Quantity.number(812_544));
        assertEquals("1235", Quantity.number(1234.6));
        assertEquals("\u22121.5", Quantity.number(-1.5));
        assertEquals("1.2e\u22125", Quantity.number(0.000012));
        assertEquals("1 min 33 s", Quantity.duration(93.1));
        assertEquals("2 h", Quantity.duration(7200));
        assertEquals("\u2212∞", Quantity.number(Double.NEGATIVE_INFINITY));
    }

    @Test
    void coordinatesAreRoundedToHundredths() {
        assertEquals("0", Svg.number(-0.004));
        assertEquals("-1.5", Svg.number(-1.499));
        assertEquals("12.05", Svg.number(12.054));
        assertEquals("3", Svg.number(2.999));
    }

    private static List<String> labels(Scale scale, double pixels) {
        return scale.ticks(pixels).stream().map(t -> scale.label(t, pixels)).toList();
    }

    private static void insideThePicture(Element root, int width) {
        double height = Double.parseDouble(root.getAttribute("height"));
        var texts = root.getElementsByTagName("text");
        for (int i = 0; i < texts.getLength(); i++) {
            var text = (Element) texts.item(i);
            double x = Double.parseDouble(text.getAttribute("x"));
            double y = Double.parseDouble(text.getAttribute("y"));
            assertTrue(x >= 0 && x <= width && y > 0 && y <= height, text.getTextContent() + " at " + x + ", " + y);
        }
    }

    private static List<String> paths(String svg) throws Exception {
        var nodes = root(svg).getElementsByTagName("path");
        var paths = new ArrayList<String>();
        for (int i = 0; i < nodes.getLength(); i++) {
            paths.add(((Element) nodes.item(i)).getAttribute("d"));
        }
        return paths;
    }

    private static List<Double> coordinates(String path, int axis) {
        var coordinates = new ArrayList<Double>();
        for (var pair : path.substring(1).split("[ML]")) {
            coordinates.add(Double.parseDouble(pair.split(" ")[axis]));
        }
        return coordinates;
    }

    private static Element root(String svg) throws Exception {
        var builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        return builder.parse(new InputSource(new StringReader(svg))).getDocumentElement();
    }
}
