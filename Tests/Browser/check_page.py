"""Looks at a worker's live page in a headless Chromium, as a person would on a phone and on a desk, by day and by night.

  check_page.py URL (idle | busy | failing | crowded) [--screenshots FOLDER] [--expect TEXT]...

Fails, with every fault, if the page does not say what it should in this state, if anything is cut off or sticks out, if
a text or a figure is too pale to be read (WCAG 2.2 AA), if the page logs an error or asks for anything but its status.
`crowded` shows what the worker says now with more of everything than there is.
"""
import argparse
import base64
import copy
import json
import pathlib
import sys
import time
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

WIDTHS = [390, 1280]
SCHEMES = ["light", "dark"]

# Everything that can be measured about how the page looks.
AUDIT = r"""
const faults = [];
const name = e => `${e.localName}${e.id ? '#' + e.id : ''} "${(e.textContent || '').trim().slice(0, 40)}"`;
if (document.documentElement.scrollWidth > innerWidth) {
  faults.push(`the page is ${document.documentElement.scrollWidth} pixels wide in a window of ${innerWidth}`);
}
const parse = text => {
  const [r, g, b, a] = text.match(/[\d.]+/g).map(Number);
  return {rgb: [r, g, b], alpha: a === undefined ? 1 : a};
};
const over = (top, alpha, below) => top.map((c, i) => c * alpha + below[i] * (1 - alpha));
const luminance = rgb => {
  const [r, g, b] = rgb.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const contrast = (a, b) => {
  const [light, dark] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
};
const background = element => {
  const layers = [];
  for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor);
    if (colour.alpha > 0) layers.unshift(colour);
    if (colour.alpha === 1) break;
  }
  return layers.reduce((below, layer) => over(layer.rgb, layer.alpha, below), [255, 255, 255]);
};
const opacity = element => {
  let value = 1;
  for (let e = element; e; e = e.parentElement) value *= Number(getComputedStyle(e).opacity);
  return value;
};
let texts = 0;
for (const element of document.body.querySelectorAll('*')) {
  if (!element.checkVisibility({checkVisibilityCSS: true}) || element.closest('template, script, noscript')) continue;
  const box = element.getBoundingClientRect();
  if (element.closest('svg')) continue;
  if (box.right > innerWidth + 1 || box.left < -1) faults.push(`${name(element)} sticks out: ${box.left} to ${box.right}`);
  const style = getComputedStyle(element);
  const own = [...element.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim());
  if (!own) continue;
  texts += 1;
  if (element.scrollWidth > element.clientWidth + 1 && style.display !== 'inline') faults.push(`${name(element)} is cut off`);
  const below = background(element);
  const text = parse(style.color);
  const ratio = contrast(over(text.rgb, text.alpha * opacity(element), below), below);
  const size = parseFloat(style.fontSize);
  const needed = size >= 24 || size >= 18.66 && style.fontWeight >= 700 ? 3 : 4.5;
  if (ratio < needed) faults.push(`${name(element)} has a contrast of ${ratio.toFixed(2)}, not ${needed}`);
}
const figures = (selector, property, around) => {
  for (const element of document.querySelectorAll(selector)) {
    if (!element.checkVisibility()) continue;
    const below = background(element.closest(around));
    const ratio = contrast(parse(getComputedStyle(element)[property]).rgb, below);
    if (ratio < 3) faults.push(`${selector} has a contrast of ${ratio.toFixed(2)}, not 3`);
  }
};
figures('.bars rect', 'fill', '.chart');
figures('.limit', 'stroke', '.chart');
figures('.stack > span', 'backgroundColor', '.stack');
for (const svg of document.querySelectorAll('svg')) {
  if (svg.getAttribute('role') !== 'img' || !svg.getAttribute('aria-label')) faults.push('a chart has no words for it');
}
for (const entry of performance.getEntriesByType('resource')) {
  const url = new URL(entry.name);
  if (url.protocol === 'data:') continue;
  if (url.origin !== location.origin || url.pathname !== '/status.json') faults.push(`the page asked for ${entry.name}`);
}
return {faults, texts};
"""


class Page:
    def __init__(self, driver, folder):
        self.driver, self.folder, self.faults = driver, folder, []

    def text(self, selector):
        return self.driver.execute_script(
            "return [...document.querySelectorAll(arguments[0])].map(e => e.textContent).join(' ')", selector
        )

    def until(self, what, holds, seconds=15):
        end = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > end:
                self.faults.append(f"not within {seconds} s: {what}; the page says: {self.text('main')[:1500]}")
                return
            time.sleep(0.1)

    def audit(self, state):
        for width in WIDTHS:
            for scheme in SCHEMES:
                self.driver.execute_cdp_cmd(
                    "Emulation.setDeviceMetricsOverride",
                    {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600},
                )
                self.driver.execute_cdp_cmd(
                    "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
                )
                # Colours fade over.
                time.sleep(0.8)
                found = self.driver.execute_script(AUDIT)
                self.faults += [f"{state}, {width} pixels, {scheme}: {fault}" for fault in found["faults"]]
                if found["texts"] < 30:
                    self.faults.append(f"{state}, {width} pixels, {scheme}: only {found['texts']} texts are shown")
                if self.folder:
                    self.screenshot(f"{state}-{width}-{scheme}.png")

    def screenshot(self, name):
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        (self.folder / name).write_bytes(base64.b64decode(shot["data"]))


def idle(page, expected):
    page.until("all is well", lambda: "All is well: nothing to do" in page.text("#headline"))
    page.until("ready", lambda: page.text("#state") == "ready")
    page.until("this pod owns the application", lambda: "owned by this pod" in page.text(".application .chip"))
    page.until("the broker was asked", lambda: page.text('[data-at="waiting"]') == "0")


def busy(page, expected):
    requests = lambda: page.driver.execute_script(
        "return [...document.querySelectorAll('[data-api=partnerCenter] rect')].map(e => Number(e.getAttribute('height')))"
    )
    page.until("requests are shown", lambda: sum(height > 0 for height in requests()) > 2, 30)
    page.until("a time is told", lambda: page.text('[data-at="remaining"]')[-1:] in ("s", "n"))
    page.until("commands are waiting", lambda: page.text('[data-at="waiting"]') not in ("0", "?"))
    first, ended = requests(), page.text('[data-at="ended"]')
    page.until("the picture moves", lambda: requests() != first)
    page.until("commands end", lambda: page.text('[data-at="ended"]') != ended)
    used = int(page.text("[data-api=partnerCenter] [data-at=used]"))
    if used > 50:
        page.faults.append(f"the page says that {used} requests were sent in a second")


def failing(page, expected):
    page.until("trouble is told", lambda: "warning" in page.text("#headline") or "wrong" in page.text("#headline"))
    for text in expected:
        page.until(f"'{text}' is shown", lambda: text in page.text("main"))
    page.until("every problem has a remedy", lambda: page.driver.execute_script(
        "const all = [...document.querySelectorAll('#problems li')];"
        "return all.length > 0 && all.every(e => e.children.length === 2 && e.lastChild.textContent.length > 10)"
    ))
    if page.driver.execute_script("return document.querySelectorAll('main img, main iframe, main script').length"):
        page.faults.append("what was published came into the page as markup")


def crowd(status):
    """The status of a large fleet in which everything goes wrong at once."""
    long = "0123456789abcdef" * 16
    pods = [f"consent-worker-production-westeurope-{number:02}-6d5f8c9b7-x{number}z9q" for number in range(12)]
    [application] = status["applications"]
    status["applications"] = []
    for number in range(8):
        one = copy.deepcopy(application)
        one["applicationId"] = f"{number}{application['applicationId'][1:]}"
        one.update(waiting=12_345_678, inHand=10_000, remainingMs=987_654_321, paused=number % 2 == 1)
        one.update(role=["owner", "standby", "shared", "detached"][number % 4], owner=pods[number])
        one["lastMinute"]["outcomes"].update(succeeded=123_456, failed=65_432, rejected=54_321, expired=43_210)
        one["lastMinute"]["meanMs"].update(queue=7_654_321, limit=65_432, api=29_999, retry=543_210)
        for use in one["apis"]:
            use.update(sent=[second * 17 % 61 for second in range(60)], inFlight=10_000, pausedMs=3_599_000)
            use.update(throttled=4_321, failedRequests=12_345)
        status["applications"].append(one)
    status.update(pod=pods[0], version="12.34.56-release.candidate.7", ready=False, reasons=["not connected"])
    status["pods"] = [
        {"name": pod, "isThisOne": pod == pods[0], "owns": [one["applicationId"] for one in status["applications"]]}
        for pod in pods
    ]
    status["queues"] = [{**queue, "messages": 98_765_432} for queue in status["queues"]]
    status["breakers"] = [{**breaker, "isOpen": True} for breaker in status["breakers"]]
    status["problems"] = [
        {"severity": severity, "text": f"Everything is wrong with {long}.", "remedy": f"Type `mend {long}` soon."}
        for severity in ("error", "warning")
    ]
    status["failures"] = [
        {
            "time": status["time"], "command": "grant", "applicationId": application["applicationId"],
            "customerId": application["applicationId"], "correlationId": long[:255], "outcome": "failed",
            "category": "partnerReauthorizationRequired", "message": f"It was not to be: {long}",
            "remedy": "An administrator signs in again.", "fixableBy": "partner", "status": 400, "code": long,
        }
    ] * 20
    return status


def crowded(page, expected):
    page.until("trouble is told", lambda: "Something is wrong: 2 problems" in page.text("#headline"))
    page.until("all applications are there", lambda: page.text("#applications").count("paused by an operator") == 8)
    page.until("the breakers are told", lambda: page.text("#breakers").count("open: requests wait") == 3)


def silence(page):
    page.driver.execute_cdp_cmd("Network.enable", {})
    page.driver.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    page.until("silence is told", lambda: "has not answered since" in page.text("#headline"))
    page.audit("silent")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("state", choices=["idle", "busy", "failing", "crowded"])
    parser.add_argument("--screenshots", type=pathlib.Path)
    parser.add_argument("--expect", action="append", default=[])
    arguments = parser.parse_args()
    options = webdriver.ChromeOptions()
    for option in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        page = Page(driver, arguments.screenshots)
        if arguments.state == "crowded":
            status = crowd(json.load(urllib.request.urlopen(f"{arguments.url}status.json")))
            driver.execute_cdp_cmd(
                "Page.addScriptToEvaluateOnNewDocument",
                {"source": f"window.fetch = async () => new Response({json.dumps(json.dumps(status))})"},
            )
        driver.get(arguments.url)
        {"idle": idle, "busy": busy, "failing": failing, "crowded": crowded}[arguments.state](page, arguments.expect)
        page.audit(arguments.state)
        page.faults += [f"logged: {entry['message']}" for entry in driver.get_log("browser")]
        if arguments.state == "failing":
            silence(page)
        faults = page.faults
    finally:
        driver.quit()
    print(*dict.fromkeys(faults), sep="\n")
    sys.exit(1 if faults else 0)


main()
