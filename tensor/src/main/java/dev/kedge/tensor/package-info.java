/// The face of LibTorch: tensors, native memory, gradients, random numbers. The only package that sees the binding.
///
/// A [Tensor] has what every objective needs; rarer operations are functions by family: [Functional], [Linalg],
/// [Indexing], [InPlace] and others. A [Scope] owns all tensors that are made inside it and frees them at its end;
/// nothing waits for the garbage collector.
///
/// ```java
/// try (Scope _ = new Scope()) {
///     Tensor x = Tensor.of(1, 2, 3).requiresGrad();
///     x.times(x).sum().backward();
///     System.out.println(Arrays.toString(x.grad().toDoubles())); // [2.0, 4.0, 6.0]
/// }
/// ```
package dev.kedge.tensor;
