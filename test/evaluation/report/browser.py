# SPDX-License-Identifier: Apache-2.0
"""Opens a report in headless Chromium and looks at it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

PATIENCE_S = 40.0
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--window-size=1500,1000",
    "--force-prefers-reduced-motion",  # nothing scrolls on while the next thing is looked at
)


class Browser:
    """A browser with one page."""

    def __init__(self, chromium: str, driver: str) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in FLAGS:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self.driver.quit()

    def open(self, report: Path) -> None:
        """Open a report and wait until it is drawn."""
        for log in ("browser", "performance"):
            self.driver.get_log(log)
        self.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        self.driver.get(report.resolve().as_uri())
        self.wait("return document.documentElement.dataset.drawn")

    def js(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns."""
        return self.driver.execute_script(script, *arguments)

    def wait(self, script: str, *arguments: Any) -> Any:
        """The value that a script returns, once it is true."""
        ends = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends:
            if value := self.js(script, *arguments):
                return value
            time.sleep(0.05)
        raise AssertionError(f"not true after {PATIENCE_S:g} s: {script}; the console has {self.errors()}")

    def errors(self) -> list[str]:
        """What the console has complained about since the page was opened."""
        return [line["message"] for line in self.driver.get_log("browser") if line["level"] == "SEVERE"]

    def computed_s(self) -> float:
        """Seconds of a processor that the page's main thread has taken."""
        metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))

    def requests(self) -> list[str]:
        """Which addresses were asked for since the page was opened."""
        messages = [json.loads(line["message"])["message"] for line in self.driver.get_log("performance")]
        return [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]

    def picture(self, selector: str) -> NDArray[np.uint8]:
        """What an element looks like, uint8 [H, W, 3] BGR."""
        from selenium.webdriver.common.by import By

        png = self.driver.find_element(By.CSS_SELECTOR, selector).screenshot_as_png
        return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), np.uint8)

    def drag(self, selector: str, right: int, down: int) -> None:
        """Press the left button in the middle of an element, and let go so many pixels away."""
        self._at(selector, 0.5, 0.5).click_and_hold().move_by_offset(right, down).release().perform()

    def hover(self, selector: str, across: float, down: float) -> None:
        """Move the mouse to a place of an element, as shares of its width and height."""
        self._at(selector, across, down).perform()

    def click(self, selector: str, across: float = 0.5, down: float = 0.5) -> None:
        """Click there."""
        self._at(selector, across, down).click().perform()

    def _at(self, selector: str, across: float, down: float) -> Any:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.by import By

        element = self.driver.find_element(By.CSS_SELECTOR, selector)
        self.js("arguments[0].scrollIntoView({block: 'center'})", element)
        size = self.js("const r = arguments[0].getBoundingClientRect(); return [r.width, r.height]", element)
        x, y = (across - 0.5) * size[0], (down - 0.5) * size[1]
        return ActionChains(self.driver).move_to_element_with_offset(element, round(x), round(y))
