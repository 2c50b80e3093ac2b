# SPDX-License-Identifier: GPL-3.0-or-later
"""The clip behind the camera's view, in step with the motion."""

import math

import bpy

from lifter_core.take import Take

UPRIGHT_SINCE = (4, 4, 0)  # from this Blender on, movies come turned as their rotation metadata says
LONGEST = 1_000_000  # frames
CLOSE = 0.01
FIT, CROP = 32, 96  # values of CameraBackgroundImage.frame_method


def set_background(
    camera: bpy.types.Camera,
    scene: bpy.types.Scene,
    clip: bpy.types.MovieClip,
    take: Take,
    clip_rate: float,
    fps: float,
    first_frame: int,
) -> None:
    """Shows the clip behind the camera's view, so that the take's first frame is at the scene's first_frame.

    Args:
        camera: the take's camera.
        scene: the scene it is in.
        clip: the clip that was lifted.
        take: the take.
        clip_rate: frames a second at which Blender counts the clip's frames.
        fps: the scene's frames a second.
        first_frame: scene frame of the take's first frame.
    """
    skipped = round(take.timestamps[0] * clip_rate)
    clip.frame_start = first_frame - skipped
    camera.show_background_images = True
    background = camera.background_images.new()
    background.alpha = 1.0
    background.frame_method = "STRETCH"
    if math.isclose(clip_rate, fps, rel_tol=1e-4):
        background.source = "MOVIE_CLIP"
        background.clip = clip
    else:
        # A movie clip shows one of its frames a scene frame; only an image's frame can be driven at another rate.
        background.source = "IMAGE"
        background.image = bpy.data.images.load(clip.filepath, check_existing=False)
        user = background.image_user
        user.frame_start, user.frame_duration, user.use_auto_refresh = 1, LONGEST, True
        curve = camera.driver_add("background_images[0].image_user.frame_offset")
        assert isinstance(curve, bpy.types.FCurve) and curve.driver is not None
        # "frame" and floor are among what Blender evaluates without running Python, so no script warning appears.
        position = f"{skipped} + (frame - {first_frame}) * {clip_rate / fps:.9g}"
        curve.driver.expression = f"floor({position} + 0.5) + 1 - frame"
    squeezed = abs(clip.size[0] * take.image_size[1] / (clip.size[1] * take.image_size[0]) - 1) > CLOSE
    # A picture of pixels that are not square is only right when it is stretched to the frame.
    if not _turn_upright(background, clip, take) and not squeezed:
        _keep_width(camera, scene, take)


def _keep_width(camera: bpy.types.Camera, scene: bpy.types.Scene, take: Take) -> None:
    """Shows the footage as wide as the camera's frame at any render size, as the lens is set by the width.

    That is FIT in a render that is higher than the footage, CROP in one that is less high.
    """
    curve = camera.driver_add("background_images[0].frame_method")
    assert isinstance(curve, bpy.types.FCurve) and curve.driver is not None
    for name, path in (
        ("w", "resolution_x"),
        ("h", "resolution_y"),
        ("pw", "pixel_aspect_x"),
        ("ph", "pixel_aspect_y"),
    ):
        variable = curve.driver.variables.new()
        variable.name = name
        target = variable.targets[0]
        target.id_type = "SCENE"
        target.id = scene
        target.data_path = f"render.{path}"
    width, height = take.image_size
    curve.driver.expression = f"{CROP} if w * pw * {height} > h * ph * {width} else {FIT}"


def _turn_upright(background: bpy.types.CameraBackgroundImage, clip: bpy.types.MovieClip, take: Take) -> bool:
    """Does for Blender before 4.4 what later ones do by themselves; returns whether the picture lies on its side.

    The take's meta may name the clip's "rotation" in degrees, as PyAV does; phones held upright write -90.
    """
    if bpy.app.version >= UPRIGHT_SINCE:
        return False
    width, height = take.image_size
    lies = (clip.size[0] > clip.size[1]) != (width > height)
    fallback = -90.0 if lies else 0.0
    turn = fallback if take.meta.rotation is None else take.meta.rotation
    background.rotation = math.radians(-turn)
    if lies:
        background.frame_method = "FIT"
        background.scale = max(width, height) / min(width, height)
    return lies
