/// Generated tasks whose every answer can be judged exactly, small enough to enumerate.
///
/// ```java
/// GeneratedTask task = new Countdown(3, 9);
/// Problem problem = task.sample(new SplittableRandom(1));
/// System.out.println(task.reward(problem, task.solution(problem))); // 1.0
/// ```
package dev.kedge.data.task;
